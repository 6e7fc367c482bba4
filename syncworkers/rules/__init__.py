"""Pure decisions: values in, values out. Time arrives as an argument."""
