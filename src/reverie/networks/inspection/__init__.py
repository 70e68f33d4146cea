"""What one watched pass shows: layers, layouts, attention, receptive fields."""
