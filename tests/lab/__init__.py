"""Virtual machines with real distribution kernels, and the cases that run in them."""
