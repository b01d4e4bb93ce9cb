#include "state/reader.hpp"

#include <string>

#include "core/fault.hpp"
#include "core/hex.hpp"
#include "state/codecs.hpp"

namespace keel::state {

namespace {

constexpr size_t kSlotBytes = 32;

core::U256 decode_value(core::ByteView key, core::ByteView value) {
    if (value.empty() || value.size() > kSlotBytes || value[0] == 0) {
        throw core::Fault(core::FaultKind::Damaged,
                          "stored slot " + core::to_hex_prefixed(key) + " has the value " +
                              core::to_hex_prefixed(value) +
                              "; check the database, or build it anew from genesis and blocks");
    }
    return core::U256::from_be(value);
}

}  // namespace

std::optional<core::Account> NewestState::account(const core::Address& address) {
    const auto row = txn_.get(tables_.account, address);
    if (!row) return std::nullopt;
    return decode_slim_account(*row);
}

core::U256 NewestState::storage(const core::Address& address, const core::U256& slot) {
    const auto key = slot_key(address, slot);
    const auto value = txn_.get(tables_.storage, key);
    return value ? decode_value(key, *value) : core::U256{};
}

std::optional<core::ByteView> NewestState::code(const core::Hash32& hash) {
    return txn_.get(tables_.code, hash);
}

void NewestState::each_slot(const core::Address& address, const OnSlot& on_slot) {
    db::ReadCursor cursor = txn_.cursor(tables_.storage);
    for (auto row = cursor.seek(address); row && row->key.starts_with(address);
         row = cursor.next()) {
        if (row->key.size() != core::Address::kSize + kSlotBytes) {
            throw core::Fault(core::FaultKind::Damaged,
                              "stored slot " + core::to_hex_prefixed(row->key) +
                                  " has a key of the wrong length; check the database");
        }
        on_slot(core::U256::load_be32(row->key.data() + core::Address::kSize),
                decode_value(row->key, row->value));
    }
}

}  // namespace keel::state
