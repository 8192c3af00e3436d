"""The tests that verify_vectors.py runs: `sealcam_py` against test/vectors/*.json, one module per subject.

Every `check_…` function takes a Tally, which counts its tests, and then vectors as parsed from their JSON files.
controls.py calls the same functions with planted faults.
"""
