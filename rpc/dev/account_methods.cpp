// What needs a key: sending and signing for the announced accounts, and for impersonated ones.

#include <fmt/format.h>

#include <algorithm>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"
#include "rpc/dev/keys.hpp"
#include "rpc/dev/methods.hpp"
#include "rpc/dev/solo.hpp"
#include "rpc/dev/typed_data.hpp"
#include "rpc/eth/execution.hpp"
#include "rpc/members.hpp"
#include "rpc/pool/pool.hpp"

namespace keel::rpc::dev {
namespace {

using core::Hash32;
using core::U256;

constexpr uint64_t kTipWei = 1'000'000'000;  // offered where none was given

core::unexpected<Error> no_key(const core::Address& address) {
    return fail(Code::Failed,
                fmt::format("unknown account {}: only keys of eth_accounts are here, and "
                            "accounts that are impersonated",
                            core::to_hex_prefixed(address)));
}

struct Unsigned {
    eth::CallRequest request;
    core::Tx tx;  // views the request's input
};

/// The transaction that is asked for, with all that was left out.
Answer<std::unique_ptr<Unsigned>> parse_transaction(Call& call) {
    Args args(call.params, 1);
    const auto object = args.object(0);
    if (!args.ok()) return args.error();
    if (!object->member("from")) {
        return fail(Code::InvalidParams, "missing value for required field from");
    }
    auto parsed = eth::parse_call_request(*object);
    if (!parsed) return core::unexpected(parsed.error());
    auto filled = std::make_unique<Unsigned>();
    filled->request = *std::move(parsed);
    if (filled->request.blob_hashes) {
        return fail(Code::InvalidParams,
                    "blobs are signed elsewhere: use eth_sendRawTransaction with a sidecar");
    }
    const eth::OwnFees fees{.tip = U256(kTipWei), .base_fee = call.backend.solo->next_base_fee()};
    auto tx = eth::fill(call, filled->request, fees);
    if (!tx) return core::unexpected(tx.error());
    filled->tx = *std::move(tx);
    return filled;
}

void sign_with(core::Tx& tx, const Hash32& secret) {
    core::Bytes message;
    core::encode_for_signing(message, tx);
    const crypto::Signature signature = crypto::sign(crypto::keccak256(message), secret);
    core::set_signature(tx, signature.y_parity, signature.r, signature.s);
}

/// r ‖ s ‖ v, v 27 or 28.
Answer<void> write_signature(Call& call, const core::Address& address, const Hash32& hash) {
    const Key* const key = find_key(address);
    if (key == nullptr) return no_key(address);
    const crypto::Signature signature = crypto::sign(hash, key->secret);
    core::Bytes bytes;
    core::append(bytes, signature.r.to_be32());
    core::append(bytes, signature.s.to_be32());
    bytes.push_back(static_cast<uint8_t>(27 + signature.y_parity));
    call.out.data(bytes);
    return {};
}

// EIP-191, version 0x45.
Hash32 personal_hash(core::ByteView message) {
    core::Bytes bytes;
    core::append(bytes,
                 "\x19"
                 "Ethereum Signed Message:\n" +
                     std::to_string(message.size()));
    core::append(bytes, message);
    return crypto::keccak256(bytes);
}

/// DATA, or the text itself.
Converted<core::Bytes> to_message(JsonValue value) {
    if (value.is(JsonKind::String) && !value.text().starts_with("0x")) {
        return core::ByteView(value.text()).to_bytes();
    }
    return to_bytes(value);
}

Answer<void> change_impersonation(Call& call, bool is_on) {
    Args args(call.params, 1);
    const core::Address address = args.address(0);
    if (!args.ok()) return args.error();
    call.backend.solo->change([&](Settings& settings) {
        if (is_on) {
            settings.impersonated.insert(address);
        } else {
            settings.impersonated.erase(address);
        }
    });
    call.out.boolean(true);
    return {};
}

}  // namespace

namespace {

/// `any_sender`: nobody has to be impersonated first.
Answer<void> send(Call& call, bool any_sender) {
    auto filled = parse_transaction(call);
    if (!filled) return core::unexpected(filled.error());
    core::Tx& tx = (*filled)->tx;
    const core::Address sender = (*filled)->request.from;
    const Key* const key = find_key(sender);
    if (key != nullptr) {
        sign_with(tx, key->secret);
    } else if (any_sender || call.backend.solo->may_send(sender)) {
        // No signature is like this one; it only keeps apart what two senders send.
        Hash32 word;
        std::ranges::copy(sender.bytes, word.bytes.end() - core::Address::kSize);
        core::set_signature(tx, 0, U256::load_be32(word.data()), U256{});
    } else {
        return no_key(sender);
    }
    core::Bytes raw;
    core::append_tx(raw, tx);
    pool::Pool& pool = *call.backend.pool;
    const auto hash = key != nullptr ? pool.add(raw) : pool.add_unsigned(raw, sender);
    if (!hash) return core::unexpected(hash.error());
    if (auto mined = call.backend.solo->on_pooled(*hash); !mined) return mined;
    call.out.data(*hash);
    return {};
}

}  // namespace

Answer<void> send_transaction(Call& call) {
    return send(call, false);
}
Answer<void> send_unsigned_transaction(Call& call) {
    return send(call, true);
}

Answer<void> sign_transaction(Call& call) {
    auto filled = parse_transaction(call);
    if (!filled) return core::unexpected(filled.error());
    core::Tx& tx = (*filled)->tx;
    const Key* const key = find_key((*filled)->request.from);
    if (key == nullptr) return no_key((*filled)->request.from);
    sign_with(tx, key->secret);
    core::Bytes raw;
    core::append_tx(raw, tx);
    call.out.data(raw);
    return {};
}

Answer<void> sign(Call& call) {
    Args args(call.params, 2);
    const core::Address address = args.address(0);
    const core::Bytes message = args.required(1, to_message);
    if (!args.ok()) return args.error();
    return write_signature(call, address, personal_hash(message));
}

Answer<void> personal_sign(Call& call) {
    Args args(call.params, 3);  // the last one: a password, which nobody needs here
    const core::Bytes message = args.required(0, to_message);
    const core::Address address = args.address(1);
    if (!args.ok()) return args.error();
    return write_signature(call, address, personal_hash(message));
}

Answer<void> sign_typed_data(Call& call) {
    Args args(call.params, 2);
    const core::Address address = args.address(0);
    const auto hash = args.required(1, typed_data_hash);
    if (!args.ok()) return args.error();
    return write_signature(call, address, hash);
}

Answer<void> impersonate(Call& call) {
    return change_impersonation(call, true);
}
Answer<void> stop_impersonating(Call& call) {
    return change_impersonation(call, false);
}

Answer<void> auto_impersonate(Call& call) {
    Args args(call.params, 1);
    const bool is_on = args.boolean(0);
    if (!args.ok()) return args.error();
    call.backend.solo->change([&](Settings& settings) { settings.impersonates_all = is_on; });
    call.out.boolean(true);
    return {};
}

}  // namespace keel::rpc::dev
