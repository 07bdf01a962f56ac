"""Who will handle an exception in flight, told from the live frames without running any code of the debuggee."""

from fixcont.stopping.prediction.predict import Predictor
from fixcont.stopping.prediction.routes import Route, Routes, route_of
from fixcont.stopping.prediction.verdicts import Outcome, Verdict

__all__ = ["Outcome", "Predictor", "Route", "Routes", "Verdict", "route_of"]
