#pragma once

#include <optional>

#include "evm/blocks.hpp"
#include "evm/frame.hpp"
#include "evm/status.hpp"

namespace keel::evm {

/// `block` is to be run by traces: it has one, or gets it now.
bool wants_trace(Frame& frame, Block& block);

/// Runs traces from `frame.block` on, stack pointer and gas as in `frame`. None: the plain
/// interpreter goes on at `frame.pc`.
std::optional<Status> run_traces(Frame& frame);

}  // namespace keel::evm
