#pragma once

#include "core/bytes.hpp"
#include "core/types/fork.hpp"
#include "evm/blocks.hpp"
#include "evm/gas.hpp"

namespace keel::evm {

/// Gives `block` of `code` its trace. Code that was translated under some rules must not run under
/// others. Does nothing if no useful trace begins there: the block stays as it is.
void translate(Code& code, Block& block, core::ByteView bytes, const OpTable& table,
               const core::ForkRules& rules);

}  // namespace keel::evm
