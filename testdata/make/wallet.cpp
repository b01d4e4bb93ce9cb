#include "testdata/make/wallet.hpp"

#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"

namespace keel::testdata {

Signer::Signer(std::string_view name)
    : key(crypto::keccak256(std::string("keel testdata key ") + std::string(name))),
      address(crypto::address_of(key)) {}

core::Bytes sign_tx(const Signer& from, const TxPlan& plan) {
    core::Tx tx;
    tx.type = plan.type;
    if (plan.type != core::TxType::Legacy || plan.is_protected) tx.chain_id = plan.chain_id;
    tx.nonce = plan.nonce.value();
    tx.max_fee = plan.max_fee.value_or(core::U256(20 * kGwei));
    tx.max_priority_fee = plan.max_priority_fee.value_or(core::U256(kGwei));
    if (plan.type <= core::TxType::AccessList) tx.max_priority_fee = tx.max_fee;
    tx.gas = plan.gas;
    tx.to = plan.to;
    tx.value = plan.value;
    tx.data = plan.data;
    tx.access_list = plan.access_list;
    tx.max_fee_per_blob_gas = plan.max_fee_per_blob_gas;
    tx.blob_hashes = plan.blob_hashes;
    tx.authorizations = plan.authorizations;

    core::Bytes message;
    core::encode_for_signing(message, tx);
    crypto::Signature signature = crypto::sign(crypto::keccak256(message), from.key);
    if (plan.high_s) {
        // The other s of the same r: of the mirrored point.
        signature.s = crypto::kSecp256k1Order - signature.s;
        signature.y_parity ^= 1;
    }
    core::set_signature(tx, signature.y_parity, plan.r.value_or(signature.r), signature.s);
    core::Bytes raw;
    core::append_tx(raw, tx);
    return raw;
}

core::Authorization authorize(const Signer& from, const core::Address& delegate, uint64_t nonce,
                              const core::U256& chain_id) {
    core::Authorization authorization;
    authorization.chain_id = chain_id;
    authorization.address = delegate;
    authorization.nonce = nonce;
    core::Bytes message;
    core::encode_for_signing(message, authorization);
    const crypto::Signature signature = crypto::sign(crypto::keccak256(message), from.key);
    authorization.y_parity = signature.y_parity;
    authorization.r = signature.r;
    authorization.s = signature.s;
    return authorization;
}

std::vector<core::Hash32> blob_hashes(size_t count, uint8_t seed) {
    constexpr uint8_t kVersion = 0x01;  // VERSIONED_HASH_VERSION_KZG
    std::vector<core::Hash32> hashes;
    for (size_t i = 0; i < count; ++i) {
        const core::Bytes from{'b', 'l', 'o', 'b', seed, static_cast<uint8_t>(i)};
        hashes.push_back(crypto::keccak256(from));
        hashes.back()[0] = kVersion;
    }
    return hashes;
}

core::Address address_named(std::string_view name) {
    return core::Address(core::ByteView(hash_of(name)).sub(12));
}

core::Hash32 hash_of(std::string_view text) {
    return crypto::keccak256(text);
}

}  // namespace keel::testdata
