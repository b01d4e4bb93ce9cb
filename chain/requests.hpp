#pragma once

#include <span>

#include "chain/verdict.hpp"
#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/types/receipt.hpp"
#include "core/types/request.hpp"

namespace keel::chain {

/// Records of the deposits that the logs of a block tell of, joined: 192 bytes each (EIP-6110).
/// A deposit event of another layout than the contract's is DepositLayout.
[[nodiscard]] core::Result<core::Bytes, Rejection> deposit_requests(
    std::span<const core::Receipt> receipts, const core::Address& deposit_contract);

/// sha256 over the hashes of the requests (EIP-7685).
core::Hash32 requests_hash(const core::Requests& requests);

}  // namespace keel::chain
