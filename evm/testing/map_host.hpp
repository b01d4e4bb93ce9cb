#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/types/fork.hpp"
#include "crypto/keccak.hpp"
#include "evm/host.hpp"

namespace keel::evm::testing {

/// A world in maps for tests of the interpreter. A snapshot is a copy of all of it: simple and
/// surely right, fast enough for small worlds.
class MapHost final : public Host {
  public:
    struct Account {
        uint64_t nonce = 0;
        core::U256 balance;
        core::Bytes code;
        std::map<core::U256, core::U256> storage;
        bool empty() const { return nonce == 0 && balance.is_zero() && code.empty(); }
    };
    struct Log {
        core::Address address;
        std::vector<core::Hash32> topics;
        core::Bytes data;
    };
    using SlotKey = std::pair<core::Address, core::U256>;
    struct World {
        std::map<core::Address, Account> accounts;
        std::map<SlotKey, core::U256> transient;
        std::set<core::Address> warm, created, destructed, touched;
        std::set<SlotKey> warm_slots;
        std::vector<Log> logs;
        int64_t refund = 0;
    };

    explicit MapHost(const core::ForkRules& rules) : rules_(rules) {}

    World world;

    /// What is now in `world` is the state at the start of the transaction.
    void begin_transaction() { original_ = world.accounts; }

    bool account_exists(const core::Address& a) override { return world.accounts.contains(a); }
    bool is_dead(const core::Address& a) override {
        const Account* account = find(a);
        return account == nullptr || account->empty();
    }
    core::U256 balance(const core::Address& a) override {
        const Account* account = find(a);
        return account == nullptr ? core::U256{} : account->balance;
    }
    uint64_t nonce(const core::Address& a) override {
        const Account* account = find(a);
        return account == nullptr ? 0 : account->nonce;
    }
    core::ByteView code(const core::Address& a) override {
        const Account* account = find(a);
        if (account == nullptr || account->code.empty()) return {};
        return *codes_.insert(account->code).first;  // nodes of a set stay where they are
    }
    core::Hash32 code_hash(const core::Address& a) override { return crypto::keccak256(code(a)); }
    bool has_storage(const core::Address& a) override {
        const Account* account = find(a);
        return account != nullptr && !account->storage.empty();
    }

    core::U256 storage(const core::Address& a, const core::U256& slot) override {
        return slot_in(world.accounts, a, slot);
    }
    core::U256 original_storage(const core::Address& a, const core::U256& slot) override {
        return world.created.contains(a) ? core::U256{} : slot_in(original_, a, slot);
    }
    void set_storage(const core::Address& a, const core::U256& slot,
                     const core::U256& value) override {
        auto& storage = world.accounts[a].storage;
        if (value.is_zero()) {
            storage.erase(slot);
        } else {
            storage[slot] = value;
        }
    }
    core::U256 transient_storage(const core::Address& a, const core::U256& slot) override {
        const auto found = world.transient.find({a, slot});
        return found == world.transient.end() ? core::U256{} : found->second;
    }
    void set_transient_storage(const core::Address& a, const core::U256& slot,
                               const core::U256& value) override {
        world.transient[{a, slot}] = value;
    }

    Access access_account(const core::Address& a) override {
        return world.warm.insert(a).second ? Access::Cold : Access::Warm;
    }
    Access access_slot(const core::Address& a, const core::U256& slot) override {
        return world.warm_slots.insert({a, slot}).second ? Access::Cold : Access::Warm;
    }

    size_t snapshot() override {
        saved_.push_back(world);
        return saved_.size() - 1;
    }
    void revert(size_t snapshot) override {
        world = saved_.at(snapshot);
        saved_.resize(snapshot);
    }

    void touch(const core::Address& a) override {
        world.touched.insert(a);
        if (!rules_.eip_158) world.accounts.try_emplace(a);
    }
    void transfer(const core::Address& from, const core::Address& to,
                  const core::U256& value) override {
        touch(to);
        if (value.is_zero()) return;
        world.accounts.at(from).balance -= value;
        world.accounts[to].balance += value;
    }
    void burn_balance(const core::Address& a) override { world.accounts[a].balance = {}; }
    void create_account(const core::Address& a, uint64_t nonce) override {
        Account& account = world.accounts[a];
        account = Account{nonce, account.balance, {}, {}};
        world.created.insert(a);
        world.touched.insert(a);
    }
    bool created_in_transaction(const core::Address& a) override {
        return world.created.contains(a);
    }
    void set_code(const core::Address& a, core::ByteView code) override {
        world.accounts[a].code = code.to_bytes();
    }
    void increment_nonce(const core::Address& a) override { ++world.accounts[a].nonce; }
    bool mark_destructed(const core::Address& a) override {
        return world.destructed.insert(a).second;
    }
    void add_log(const core::Address& a, std::span<const core::Hash32> topics,
                 core::ByteView data) override {
        world.logs.push_back({a, {topics.begin(), topics.end()}, data.to_bytes()});
    }
    void add_refund(int64_t gas) override { world.refund += gas; }
    int64_t refund() const noexcept override { return world.refund; }
    core::Hash32 block_hash(uint64_t number) override {
        return crypto::keccak256(core::ByteView(std::to_string(number)));
    }

  private:
    const Account* find(const core::Address& a) const {
        const auto found = world.accounts.find(a);
        return found == world.accounts.end() ? nullptr : &found->second;
    }
    static core::U256 slot_in(const std::map<core::Address, Account>& accounts,
                              const core::Address& a, const core::U256& slot) {
        const auto account = accounts.find(a);
        if (account == accounts.end()) return {};
        const auto found = account->second.storage.find(slot);
        return found == account->second.storage.end() ? core::U256{} : found->second;
    }

    core::ForkRules rules_;
    std::map<core::Address, Account> original_;
    std::vector<World> saved_;
    std::set<core::Bytes> codes_;
};

}  // namespace keel::evm::testing
