#include "crypto/recover.hpp"

#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"

namespace keel::crypto {
namespace {

constexpr size_t kUsualPayloadBytes = 256;  // saves a small transaction the growth of its buffer

}  // namespace

core::Result<core::Address, SignatureError> recover_sender(const core::Tx& tx,
                                                           const core::ForkRules& rules) {
    const auto parity = core::y_parity(tx);
    if (!parity) return core::unexpected(SignatureError::WrongV);
    if (tx.type == core::TxType::Legacy && tx.chain_id && !rules.eip_155) {
        return core::unexpected(SignatureError::WrongV);
    }
    if (tx.r.is_zero() || tx.r >= kSecp256k1Order) {
        return core::unexpected(SignatureError::WrongR);
    }
    if (tx.s.is_zero() || tx.s >= kSecp256k1Order || (rules.eip_2 && tx.s > kSecp256k1HalfOrder)) {
        return core::unexpected(SignatureError::WrongS);
    }
    core::Bytes payload;
    payload.reserve(kUsualPayloadBytes + tx.data.size());
    core::encode_for_signing(payload, tx);
    const auto sender = recover_address(keccak256(payload), tx.r, tx.s, *parity);
    if (!sender) return core::unexpected(SignatureError::NoSuchKey);
    return *sender;
}

std::optional<core::Address> recover_authority(const core::Authorization& authorization) {
    if (authorization.s > kSecp256k1HalfOrder) return std::nullopt;
    core::Bytes payload;
    core::encode_for_signing(payload, authorization);
    return recover_address(keccak256(payload), authorization.r, authorization.s,
                           authorization.y_parity);
}

}  // namespace keel::crypto
