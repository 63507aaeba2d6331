"""Everything that needs torch: models, the chat template, the device, kernels, sampling and training."""
