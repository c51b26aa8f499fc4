"""What platforms (苏商通、一网通办、浙里办、小程序) do for themselves and for the people who let them."""
