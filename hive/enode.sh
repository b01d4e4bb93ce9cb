#!/bin/bash
# Prints the enode URL of the running client, which the daemon writes into its data directory.
set -e
cat "${KEEL_ROOT:-}/keel-data/enode"
