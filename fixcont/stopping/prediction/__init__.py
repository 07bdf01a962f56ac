"""Who will handle an exception in flight, told from the live frames without running any code of the debuggee."""

from fixcont.stopping.prediction.predict import Predictor, Recall, handler_of
from fixcont.stopping.prediction.verdicts import Outcome, Verdict

__all__ = ["Outcome", "Predictor", "Recall", "Verdict", "handler_of"]
