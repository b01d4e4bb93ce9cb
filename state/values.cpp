#include "state/values.hpp"

#include <array>

#include "core/fault.hpp"
#include "core/hex.hpp"
#include "state/codecs.hpp"
#include "state/varint.hpp"

namespace keel::state {

using core::Bytes;
using core::ByteView;

namespace {

[[noreturn]] void throw_damaged() {
    throw core::Fault(core::FaultKind::Damaged,
                      "a row of table ForwardChangeSet does not decode: run keel db check");
}

template <class AccountSide, class SlotSide>
Values side_of(const ChangeSet& changes, AccountSide account_side, SlotSide slot_side) {
    Values values;
    values.accounts.reserve(changes.accounts.size());
    values.slots.reserve(changes.slots.size());
    for (const AccountChange& change : changes.accounts) {
        values.accounts.push_back(
            {change.address, change.*account_side, change.first_slot, change.slot_count});
    }
    for (const SlotChange& change : changes.slots) {
        values.slots.push_back({change.slot, change.*slot_side});
    }
    return values;
}

void append_number(Bytes& to, const core::U256& number) {
    const std::array<uint8_t, 32> bytes = number.to_be32();
    const ByteView trimmed = trim_slot(bytes);
    to.push_back(static_cast<uint8_t>(trimmed.size()));
    core::append(to, trimmed);
}

void append_account_value(Bytes& to, const core::Address& address,
                          const std::optional<core::Account>& account, size_t slot_count) {
    core::append(to, address);
    const size_t length_at = to.size();
    to.push_back(0);
    if (account) append_slim_account(to, *account);
    to[length_at] = static_cast<uint8_t>(to.size() - length_at - 1);
    append_varint(to, slot_count);
}

/// Takes the parts of a row one after the other.
class RowReader {
  public:
    explicit RowReader(ByteView rest) noexcept : rest_(rest) {}

    bool at_end() const noexcept { return rest_.empty(); }
    ByteView take(size_t bytes) {
        if (rest_.size() < bytes) throw_damaged();
        const ByteView taken = rest_.sub(0, bytes);
        rest_ = rest_.sub(bytes);
        return taken;
    }
    ByteView take_sized() { return take(take(1)[0]); }
    uint64_t take_varint() {
        const auto number = read_varint(rest_);
        if (!number) throw_damaged();
        return *number;
    }
    core::U256 take_number() {
        const ByteView bytes = take_sized();
        if (bytes.size() > 32) throw_damaged();
        return core::U256::from_be(bytes);
    }

  private:
    ByteView rest_;
};

}  // namespace

Values before_values(const ChangeSet& changes) {
    return side_of(changes, &AccountChange::before, &SlotChange::before);
}

Values after_values(const ChangeSet& changes) {
    return side_of(changes, &AccountChange::after, &SlotChange::after);
}

void append_values(Bytes& to, const Values& values) {
    for (const AccountValue& account : values.accounts) {
        append_account_value(to, account.address, account.account, account.slot_count);
        for (const SlotValue& slot : values.slots_of(account)) {
            append_number(to, slot.slot);
            append_number(to, slot.value);
        }
    }
}

void append_after_values(Bytes& to, const ChangeSet& changes) {
    for (const AccountChange& account : changes.accounts) {
        append_account_value(to, account.address, account.after, account.slot_count);
        for (const SlotChange& slot : changes.slots_of(account)) {
            append_number(to, slot.slot);
            append_number(to, slot.after);
        }
    }
}

Values decode_values(ByteView row) {
    Values values;
    for (RowReader reader(row); !reader.at_end();) {
        AccountValue account;
        account.address = core::Address(reader.take(core::Address::kSize));
        const ByteView slim = reader.take_sized();
        if (!slim.empty()) account.account = decode_slim_account(slim);
        account.first_slot = static_cast<uint32_t>(values.slots.size());
        account.slot_count = static_cast<uint32_t>(reader.take_varint());
        for (uint32_t i = 0; i < account.slot_count; ++i) {
            const core::U256 slot = reader.take_number();
            values.slots.push_back({slot, reader.take_number()});
        }
        values.accounts.push_back(account);
    }
    return values;
}

}  // namespace keel::state
