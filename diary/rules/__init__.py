"""The rules of the product, pure: values in, values out; no clock, no disk, no network, no chance."""
