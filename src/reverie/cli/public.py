"""The public functions, as commands have them: torch is there from here on, and is not looked through for rubbish.

What it makes as it is imported stays to the end. The collector would look through it several times on the way, and once more at the end.
"""

import gc

_collecting = gc.isenabled()
gc.disable()
try:
    from reverie import api
    from reverie.api.opening import networks_from, open_up
    from reverie.api.start_guide_mask import noise_of
finally:
    gc.freeze()
    if _collecting:
        gc.enable()

__all__ = ["api", "networks_from", "noise_of", "open_up"]
