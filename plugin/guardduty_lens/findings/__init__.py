"""What findings mean: the grammar of their types and the bands of their severity."""
