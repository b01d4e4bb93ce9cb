#include "chain/requests.hpp"

#include <array>

#include "core/types/account.hpp"
#include "core/u256.hpp"
#include "crypto/sha256.hpp"

namespace keel::chain {

using core::Bytes;
using core::ByteView;
using core::U256;
using core::unexpected;

namespace {

// EIP-6110: keccak256("DepositEvent(bytes,bytes,bytes,bytes,bytes)").
constexpr core::Hash32 kDepositEvent =
    core::hash_of_digits("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
constexpr size_t kDepositEventBytes = 576;
constexpr size_t kWord = 32;

/// A part of the event: ABI encoding puts its offset into the head, and there its length and bytes.
struct DepositField {
    const char* name;
    uint64_t offset;
    uint64_t bytes;
};
constexpr DepositField kDepositFields[] = {{"pubkey", 160, 48},
                                           {"withdrawal credentials", 256, 32},
                                           {"amount", 320, 8},
                                           {"signature", 384, 96},
                                           {"index", 512, 8}};

core::Result<void, Rejection> append_deposit(Bytes& to, ByteView data) {
    if (data.size() != kDepositEventBytes) {
        return unexpected(reject<Verdict::DepositLayout>(
            fmt::format("{} bytes, want {}", data.size(), kDepositEventBytes)));
    }
    const auto word = [data](uint64_t at) { return U256::load_be32(data.data() + at); };
    uint64_t head = 0;
    for (const DepositField& field : kDepositFields) {
        if (word(head) != U256(field.offset)) {
            return unexpected(reject<Verdict::DepositLayout>(fmt::format(
                "offset of {} is {}, want {}", field.name, word(head).to_decimal(), field.offset)));
        }
        if (word(field.offset) != U256(field.bytes)) {
            return unexpected(reject<Verdict::DepositLayout>(
                fmt::format("length of {} is {}, want {}", field.name,
                            word(field.offset).to_decimal(), field.bytes)));
        }
        core::append(to, data.sub(field.offset + kWord, field.bytes));
        head += kWord;
    }
    return {};
}

}  // namespace

core::Result<Bytes, Rejection> deposit_requests(std::span<const core::Receipt> receipts,
                                                const core::Address& deposit_contract) {
    Bytes deposits;
    for (const core::Receipt& receipt : receipts) {
        for (const core::Log& log : receipt.logs) {
            if (log.address != deposit_contract || log.topics.empty()) continue;
            if (log.topics[0] != kDepositEvent) continue;
            if (auto appended = append_deposit(deposits, log.data); !appended) {
                return unexpected(std::move(appended.error()));
            }
        }
    }
    return deposits;
}

core::Hash32 requests_hash(const core::Requests& requests) {
    Bytes hashes;
    Bytes request_bytes;
    for (const core::Request& request : requests) {
        if (request.data.empty()) continue;
        request_bytes.assign(1, static_cast<uint8_t>(request.type));
        core::append(request_bytes, request.data);
        core::append(hashes, crypto::sha256(request_bytes));
    }
    return crypto::sha256(hashes);
}

}  // namespace keel::chain
