"""The tests that verify_vectors.py runs: `sealcam_py` against test/vectors/*.json, one module per subject.

Every `check_…` function takes the Tally that counts its tests first, then vectors as their JSON stands in
the files. controls.py calls the same functions with planted faults.
"""
