"""Pictures that move: journeys and films, each frame dreamt from the last."""
