#include "state/codecs.hpp"

#include <string>

#include "core/endian.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "core/rlp.hpp"

namespace keel::state {

namespace {

constexpr size_t kHashItemBytes = 1 + core::Hash32::kSize;

size_t integer_item_bytes(const core::U256& value) noexcept {
    const size_t bytes = value.byte_length();
    return bytes <= 1 && value.low64() < 0x80 ? 1 : 1 + bytes;
}

void append_account(core::Bytes& to, const core::Account& account, bool with_root,
                    bool with_code_hash) {
    const size_t payload = integer_item_bytes(account.nonce) + integer_item_bytes(account.balance) +
                           (with_root ? kHashItemBytes : 1) + (with_code_hash ? kHashItemBytes : 1);
    core::rlp_append_list_header(to, payload);
    core::rlp_append_uint(to, account.nonce);
    core::rlp_append_uint(to, account.balance);
    core::rlp_append_string(to, with_root ? account.storage_root.view() : core::ByteView{});
    core::rlp_append_string(to, with_code_hash ? account.code_hash.view() : core::ByteView{});
}

core::RlpResult<core::Hash32> hash_or(core::RlpReader& reader, const core::Hash32& when_empty) {
    const auto bytes = reader.string();
    if (!bytes) return core::unexpected(bytes.error());
    if (bytes->empty()) return when_empty;
    if (bytes->size() != core::Hash32::kSize)
        return core::unexpected(core::RlpError::UnexpectedLength);
    return core::Hash32(*bytes);
}

core::RlpResult<core::Account> read_slim_account(core::ByteView row) {
    auto reader = core::rlp_outer_list(row);
    if (!reader) return core::unexpected(reader.error());
    const auto nonce = reader->uint64();
    if (!nonce) return core::unexpected(nonce.error());
    const auto balance = reader->u256();
    if (!balance) return core::unexpected(balance.error());
    const auto root = hash_or(*reader, core::kEmptyTrieRoot);
    if (!root) return core::unexpected(root.error());
    const auto code_hash = hash_or(*reader, core::kEmptyCodeHash);
    if (!code_hash) return core::unexpected(code_hash.error());
    if (const auto end = reader->end(); !end) return core::unexpected(end.error());
    return core::Account{*nonce, *balance, *root, *code_hash};
}

}  // namespace

void append_slim_account(core::Bytes& to, const core::Account& account) {
    append_account(to, account, account.storage_root != core::kEmptyTrieRoot,
                   account.code_hash != core::kEmptyCodeHash);
}

core::Account decode_slim_account(core::ByteView row) {
    const auto account = read_slim_account(row);
    if (!account) {
        throw core::Fault(core::FaultKind::Damaged,
                          "stored account " + core::to_hex_prefixed(row) + ": " +
                              core::to_string(account.error()) +
                              "; check the database, or build it anew from genesis and blocks");
    }
    return *account;
}

void append_trie_account(core::Bytes& to, const core::Account& account) {
    append_account(to, account, true, true);
}

core::ByteView trim_slot(const std::array<uint8_t, 32>& value) noexcept {
    size_t zeros = 0;
    while (zeros < value.size() && value[zeros] == 0) ++zeros;
    return core::ByteView(value).sub(zeros);
}

std::array<uint8_t, 8> number_key(uint64_t number) noexcept {
    std::array<uint8_t, 8> key;
    core::store_be(key.data(), number);
    return key;
}

std::array<uint8_t, 40> block_key(uint64_t number, const core::Hash32& hash) noexcept {
    std::array<uint8_t, 40> key;
    core::store_be(key.data(), number);
    std::memcpy(key.data() + sizeof number, hash.data(), core::Hash32::kSize);
    return key;
}

std::array<uint8_t, 52> slot_key(const core::Address& address, const core::U256& slot) noexcept {
    std::array<uint8_t, 52> key;
    std::memcpy(key.data(), address.data(), core::Address::kSize);
    slot.store_be32(key.data() + core::Address::kSize);
    return key;
}

uint64_t number_of_key(core::ByteView key) noexcept {
    return core::load_be<uint64_t>(key.data());
}

}  // namespace keel::state
