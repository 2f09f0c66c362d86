"""The released RoboRefer and NVILA checkpoints: reading their layout, writing it again."""
