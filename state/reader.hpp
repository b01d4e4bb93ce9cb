#pragma once

#include <functional>
#include <optional>

#include "core/bytes.hpp"
#include "core/types/account.hpp"
#include "core/types/address.hpp"
#include "core/types/hash.hpp"
#include "core/u256.hpp"
#include "db/database.hpp"
#include "state/tables.hpp"

namespace keel::state {

/// A state that execution and queries read: the newest one, that of a past block, or that of a
/// branch. One thread. Lives no longer than the transaction below it.
class StateReader {
  public:
    using OnSlot = std::function<void(const core::U256& slot, const core::U256& value)>;

    virtual ~StateReader() = default;
    /// None: absent. An empty account (nonce 0, balance 0, no code) may be present (EIP-161). Its
    /// storage root is the empty one exactly if it has no slots; slots are not asked for then.
    virtual std::optional<core::Account> account(const core::Address& address) = 0;
    /// 0 where nothing is stored.
    virtual core::U256 storage(const core::Address& address, const core::U256& slot) = 0;
    /// Code whose keccak256 is `hash`; none: unknown. Lives until the transaction below ends, in a
    /// write transaction until its next write.
    virtual std::optional<core::ByteView> code(const core::Hash32& hash) = 0;
    /// Every slot of the account that is not zero, ascending. `on_slot` writes nothing below.
    virtual void each_slot(const core::Address& address, const OnSlot& on_slot) = 0;
};

/// The newest state: the flat tables.
class NewestState final : public StateReader {
  public:
    NewestState(const db::ReadTxn& txn, const Tables& tables) : txn_(txn), tables_(tables) {}

    std::optional<core::Account> account(const core::Address& address) override;
    core::U256 storage(const core::Address& address, const core::U256& slot) override;
    std::optional<core::ByteView> code(const core::Hash32& hash) override;
    void each_slot(const core::Address& address, const OnSlot& on_slot) override;

  private:
    const db::ReadTxn& txn_;
    const Tables& tables_;
};

}  // namespace keel::state
