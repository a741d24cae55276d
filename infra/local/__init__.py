"""The local stack: builds the functions, deploys `template.yaml` to an emulator of AWS, and drives it."""
