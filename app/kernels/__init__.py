"""Kernels: confined processes that run learners' cells, and the server's side of them.

The modules fall in three groups, by the process that imports them:

* the server: `pool`, `process`, `turns`, `outputs`, `graphs`;
* the fork server and its kernels: `forkserver`, `confinement` and its layers, `worker`, `shell`, `streams`,
  `torch_alias`;
* both: `limits`, `events`, `wire`.

This file imports nothing, so that the fork server stays as small as what it needs.
"""
