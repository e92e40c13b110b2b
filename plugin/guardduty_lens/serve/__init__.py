"""Long running: inputs that acknowledge, through one lens, to outputs that confirm."""
