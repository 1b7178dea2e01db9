"""Speed and memory on a Hub of full size: generator and benchmark. Nothing of ours imports it."""
