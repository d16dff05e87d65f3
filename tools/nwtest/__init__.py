# SPDX-License-Identifier: BSD-2-Clause
"""The parts of tools/test: stages, their runner, counting."""
