#pragma once

#include "chain/verdict.hpp"
#include "core/result.hpp"
#include "core/types/header.hpp"
#include "crypto/ethash.hpp"

namespace keel::chain {

/// Hash that a proof of work is about: of the header without mix hash and nonce.
core::Hash32 seal_hash(const core::Header& header);

/// Whether the header carries its proof of work (EVM.md 3.6).
[[nodiscard]] core::Result<void, Rejection> check_seal(crypto::Ethash& ethash,
                                                       const core::Header& header);

}  // namespace keel::chain
