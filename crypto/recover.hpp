#pragma once

#include <cstdint>
#include <optional>

#include "core/result.hpp"
#include "core/types/address.hpp"
#include "core/types/fork.hpp"
#include "core/types/tx.hpp"

namespace keel::crypto {

/// Why a transaction has no sender.
enum class SignatureError : uint8_t {
    WrongV,     // not a value of v that the type and the rules know
    WrongR,     // outside [1, n - 1]
    WrongS,     // outside [1, n - 1]; from EIP-2 on outside [1, n // 2]
    NoSuchKey,  // no key makes this signature
};

/// Who signed the transaction. Whether its chain id is ours is for the chain to check. Any thread.
[[nodiscard]] core::Result<core::Address, SignatureError> recover_sender(
    const core::Tx& tx, const core::ForkRules& rules);

/// Who signed the authorization (EIP-7702); none: it is skipped. Any thread.
std::optional<core::Address> recover_authority(const core::Authorization& authorization);

}  // namespace keel::crypto
