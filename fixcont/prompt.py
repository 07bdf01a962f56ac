"""The door to the prompt in the terminal."""

from fixcont_ui.first_stop import PromptAtFirstStop as prompt_front_end

__all__ = ["prompt_front_end"]
