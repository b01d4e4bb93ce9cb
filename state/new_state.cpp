#include "state/new_state.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stop_token>
#include <utility>

#include "core/base.hpp"
#include "core/endian.hpp"
#include "core/rlp.hpp"
#include "core/types/account.hpp"
#include "crypto/keccak.hpp"
#include "state/codecs.hpp"
#include "state/ordered_work.hpp"
#include "state/state_root.hpp"
#include "state/trie/whole_trie.hpp"

namespace keel::state {

namespace {

constexpr size_t kSlotRlpBytesMax = 33;
constexpr size_t kTrieAccountBytesMax = 112;  // header 2, nonce 9, balance 33, two hashes of 33
// Addresses that are hashed in one go.
constexpr size_t kHashStep = 4096;
// Rows of an account and a slot in the trie tables, for estimates: leaf, share of the branches,
// paths. Measured on 10^6 accounts of random keys.
constexpr uint64_t kTrieRowsOfTen = 14;
constexpr uint64_t kTrieAccountBytes = 200;
constexpr uint64_t kTrieSlotBytes = 150;
// Slots of accounts whose storage tries are one piece of work.
constexpr size_t kSlotsOfPiece = 8192;
constexpr size_t kPiecesAhead = 16;

/// Rows of the account trie, the upper ones with zeros (WholeTrie W1).
class TrieTableRows final : public db::SortedEntries {
  public:
    TrieTableRows(WholeTrie& trie, uint64_t keys) : trie_(trie), keys_(keys) {}
    bool next(db::Entry& entry) override {
        const auto row = trie_.next();
        if (row) entry = {row->path, row->rlp};
        return row.has_value();
    }
    uint64_t entries() const override { return keys_ * kTrieRowsOfTen / 10; }
    uint64_t bytes() const override { return keys_ * kTrieAccountBytes; }

  private:
    WholeTrie& trie_;
    const uint64_t keys_;
};

}  // namespace

// Hashing while accounts come.

/// Hashes the addresses that it has been told of.
class NewState::AddressHasher {
  public:
    explicit AddressHasher(NewState& of)
        : state_(of), thread_([this](const std::stop_token& stop) { run(stop); }) {}
    ~AddressHasher() {
        thread_.request_stop();
        told(told_.load(std::memory_order_relaxed) | kEnd);
    }

    /// Accounts below `count` are there, and room for their keys.
    void told(uint64_t count) {
        told_.store(count, std::memory_order_release);  // pairs with the acquire in run()
        told_.notify_one();
    }
    /// Waits for the end; returns how many are hashed.
    size_t join() {
        told(told_.load(std::memory_order_relaxed) | kEnd);
        thread_.join();
        return done_;
    }

  private:
    static constexpr uint64_t kEnd = uint64_t{1} << 63;

    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const uint64_t seen = told_.load(std::memory_order_acquire);
            const auto count = static_cast<size_t>(seen & ~kEnd);
            if (done_ == count) {
                if ((seen & kEnd) != 0) return;
                told_.wait(seen, std::memory_order_acquire);
                continue;
            }
            const size_t last = std::min(done_ + kHashStep, count);
            state_.hash_addresses(done_, last);
            done_ = last;
        }
    }

    NewState& state_;
    std::atomic<uint64_t> told_ = 0;
    size_t done_ = 0;  // the thread's; read after it has ended
    std::jthread thread_;
};

NewState::NewState() = default;
NewState::NewState(size_t accounts_max, size_t slots_max)
    : accounts_(accounts_max), keys_(accounts_max), slots_(slots_max) {}
NewState::~NewState() = default;

void NewState::hash_addresses(size_t first, size_t last) {
    std::array<core::ByteView, kHashStep> inputs;
    while (first < last) {
        const size_t count = std::min(kHashStep, last - first);
        for (size_t i = 0; i < count; ++i) inputs[i] = accounts_[first + i].address;
        crypto::keccak256_batch({inputs.data(), count}, {keys_.data() + first, count});
        first += count;
    }
}

// Building.

void NewState::add_slot(const core::U256& slot, const core::U256& value) {
    if (slots_.size() > first_new_slot_ && !(slots_[slots_.size() - 1].slot < slot))
        slots_ascend_ = false;
    if (value.is_zero()) slots_ascend_ = false;  // to be taken out
    slots_.push_back({slot, value});
}

void NewState::sort_slots() {
    const std::span<SlotValue> came = slots_.span().subspan(first_new_slot_);
    std::vector<uint32_t> order(came.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [came](uint32_t a, uint32_t b) {
        const auto by_slot = came[a].slot <=> came[b].slot;
        return by_slot != 0 ? by_slot < 0 : a < b;
    });
    std::vector<SlotValue> kept;
    kept.reserve(order.size());
    for (size_t i = 0; i < order.size(); ++i) {
        const SlotValue& slot = came[order[i]];
        const bool comes_again = i + 1 < order.size() && came[order[i + 1]].slot == slot.slot;
        if (!comes_again && !slot.value.is_zero()) kept.push_back(slot);
    }
    std::ranges::copy(kept, came.begin());
    slots_.shrink(first_new_slot_ + kept.size());
}

uint32_t NewState::add_code(core::Bytes code) {
    KEEL_ASSERT(!code.empty() && codes_.size() < kNone);
    codes_.push_back(std::move(code));
    return static_cast<uint32_t>(codes_.size() - 1);
}

void NewState::add_account(const core::Address& address, uint64_t nonce, const core::U256& balance,
                           uint32_t code) {
    KEEL_ASSERT(accounts_.size() < kNone && by_address_.empty());
    if (!slots_ascend_) sort_slots();
    uint32_t storage = kNone;
    if (slots_.size() > first_new_slot_) {
        KEEL_ASSERT(slots_.size() - first_new_slot_ < kNone);
        storage = static_cast<uint32_t>(storages_.size());
        storages_.push_back({static_cast<uint32_t>(accounts_.size()),
                             static_cast<uint32_t>(slots_.size() - first_new_slot_),
                             first_new_slot_});
    }
    first_new_slot_ = slots_.size();
    slots_ascend_ = true;
    keys_.push_back({});
    accounts_.push_back({address, code, nonce, balance, storage});
    if (accounts_.size() % kHashStep != 0) return;
    if (!hasher_ && threads_for(2) > 1) hasher_ = std::make_unique<AddressHasher>(*this);
    if (hasher_) hasher_->told(accounts_.size());
}

void NewState::finish() {
    const size_t hashed = hasher_ ? hasher_->join() : 0;
    hasher_.reset();
    hash_addresses(hashed, accounts_.size());
    hash_codes();
    sort_accounts();
}

void NewState::hash_codes() {
    std::vector<core::ByteView> inputs(codes_.begin(), codes_.end());
    code_hashes_.resize(codes_.size());
    crypto::keccak256_batch(inputs, code_hashes_);
}

void NewState::sort_accounts() {
    struct Reference {
        uint64_t head;  // of the address, behind the byte that its group has in common
        uint32_t account;
    };
    constexpr size_t kGroups = 256;
    std::array<size_t, kGroups + 1> begin = {};
    for (const Account& account : accounts_.span()) ++begin[account.address[0] + size_t{1}];
    for (size_t group = 0; group < kGroups; ++group) begin[group + 1] += begin[group];
    std::vector<Reference> references(accounts_.size());
    std::array<size_t, kGroups> next;
    std::copy_n(begin.begin(), kGroups, next.begin());
    for (size_t i = 0; i < accounts_.size(); ++i) {
        const core::Address& address = accounts_[i].address;
        references[next[address[0]]++] = {core::load_be<uint64_t>(address.data() + 1),
                                          static_cast<uint32_t>(i)};
    }
    const auto before = [this](const Reference& a, const Reference& b) {
        if (a.head != b.head) return a.head < b.head;
        const auto order = accounts_[a.account].address <=> accounts_[b.account].address;
        return order != 0 ? order < 0 : a.account < b.account;
    };
    {
        const auto sort_group = [&](size_t group) {
            std::sort(references.begin() + static_cast<ptrdiff_t>(begin[group]),
                      references.begin() + static_cast<ptrdiff_t>(begin[group + 1]), before);
            return true;
        };
        OrderedWork<bool> work(kGroups, kGroups, threads_for(accounts_.size() / kHashStep),
                               sort_group);
        while (work.next()) {
        }
    }
    by_address_.reserve(references.size());
    for (size_t i = 0; i < references.size(); ++i) {
        const uint32_t account = references[i].account;
        const bool comes_again =
            i + 1 < references.size() &&
            accounts_[references[i + 1].account].address == accounts_[account].address;
        if (!comes_again) {
            by_address_.push_back(account);
            continue;
        }
        if (replaced_.empty()) replaced_.resize(accounts_.size());
        replaced_[account] = true;
    }
    std::erase_if(storages_, [this](const Storage& storage) {
        return !replaced_.empty() && replaced_[storage.account];
    });
    std::sort(storages_.begin(), storages_.end(), [this](const Storage& a, const Storage& b) {
        return accounts_[a.account].address < accounts_[b.account].address;
    });
    for (size_t i = 0; i < storages_.size(); ++i)
        accounts_[storages_[i].account].storage = static_cast<uint32_t>(i);
}

// Rows of the flat tables.

core::Hash32 NewState::code_hash(const Account& account) const noexcept {
    return account.code == kNone ? core::kEmptyCodeHash : code_hashes_[account.code];
}

class NewState::AccountRows final : public db::SortedEntries {
  public:
    AccountRows(const NewState& state, std::span<const core::Hash32> roots)
        : state_(state), roots_(roots) {}
    bool next(db::Entry& entry) override {
        const auto& order = state_.by_address_;
        if (next_ == order.size()) return false;
        if (next_ + kLookAhead < order.size())
            __builtin_prefetch(&state_.accounts_[order[next_ + kLookAhead]]);
        const Account& account = state_.accounts_[order[next_++]];
        core::Account shown{.nonce = account.nonce,
                            .balance = account.balance,
                            .code_hash = state_.code_hash(account)};
        if (account.storage != kNone) shown.storage_root = roots_[account.storage];
        row_.clear();
        append_slim_account(row_, shown);
        entry = {account.address, row_};
        return true;
    }
    uint64_t entries() const override { return state_.by_address_.size(); }
    uint64_t bytes() const override { return entries() * kRowBytes; }

  private:
    static constexpr size_t kLookAhead = 12;
    static constexpr uint64_t kRowBytes = 36;
    const NewState& state_;
    const std::span<const core::Hash32> roots_;
    size_t next_ = 0;
    core::Bytes row_;
};

class NewState::SlotRows final : public db::SortedEntries {
  public:
    explicit SlotRows(const NewState& state) : state_(state) {}
    bool next(db::Entry& entry) override {
        while (storage_ < state_.storages_.size()) {
            const Storage& storage = state_.storages_[storage_];
            if (slot_ == storage.slot_count) {
                ++storage_;
                slot_ = 0;
                continue;
            }
            const SlotValue& slot = state_.slots_[storage.first_slot + slot_++];
            key_ = slot_key(state_.accounts_[storage.account].address, slot.slot);
            value_ = slot.value.to_be32();
            entry = {key_, trim_slot(value_)};
            return true;
        }
        return false;
    }
    uint64_t entries() const override { return state_.slots_.size(); }
    uint64_t bytes() const override { return entries() * kRowBytes; }

  private:
    static constexpr uint64_t kRowBytes = 75;
    const NewState& state_;
    size_t storage_ = 0;
    uint32_t slot_ = 0;
    std::array<uint8_t, 52> key_;
    std::array<uint8_t, 32> value_;
};

/// Each code once, ascending by hash.
class NewState::CodeRows final : public db::SortedEntries {
  public:
    explicit CodeRows(const NewState& state) : state_(state) {
        if (state.codes_.empty()) return;
        // Those that an account still has.
        std::vector<bool> wanted(state.codes_.size());
        for (const uint32_t account : state.by_address_)
            if (state.accounts_[account].code != kNone)
                wanted[state.accounts_[account].code] = true;
        for (uint32_t code = 0; code < wanted.size(); ++code)
            if (wanted[code]) order_.push_back(code);
        const auto hash = [&state](uint32_t code) { return state.code_hashes_[code]; };
        std::ranges::sort(order_, {}, hash);
        const auto doubles = std::ranges::unique(order_, {}, hash);
        order_.erase(doubles.begin(), doubles.end());
        for (const uint32_t code : order_) bytes_ += state.codes_[code].size();
    }
    bool next(db::Entry& entry) override {
        if (next_ == order_.size()) return false;
        const uint32_t code = order_[next_++];
        entry = {state_.code_hashes_[code], state_.codes_[code]};
        return true;
    }
    uint64_t entries() const override { return order_.size(); }
    uint64_t bytes() const override { return bytes_ + order_.size() * core::Hash32::kSize; }

  private:
    const NewState& state_;
    std::vector<uint32_t> order_;
    uint64_t bytes_ = 0;
    size_t next_ = 0;
};

// Tries.

/// Storage tries in the order of their accounts: small ones in pieces of several, made ahead on all
/// processors; a large one by itself, when it comes.
class NewState::StorageTries final : public db::SortedEntries {
  public:
    /// `roots`: by storage; filled on the way.
    StorageTries(const NewState& state, std::span<core::Hash32> roots)
        : state_(state), roots_(roots) {
        const auto& storages = state.storages_;
        for (size_t first = 0; first < storages.size();) {
            size_t last = first;
            for (size_t slots = 0; last < storages.size() && slots < kSlotsOfPiece; ++last) {
                const bool large = is_large(storages[last]);
                if (large && last > first) break;
                slots += storages[last].slot_count;
            }
            pieces_.push_back({first, last});
            first = last;
        }
        work_.emplace(pieces_.size(), kPiecesAhead, threads_for(pieces_.size()),
                      [this](size_t piece) { return make(pieces_[piece]); });
    }

    bool next(db::Entry& entry) override {
        for (;;) {
            if (large_) {
                if (const auto row = large_->next()) {
                    entry = {keyed(row->path), row->rlp};
                    return true;
                }
                finish_large();
            }
            if (rows_ && next_row_ < rows_->size()) {
                const TrieRows::Row row = (*rows_)[next_row_++];
                entry = {row.key, *row.rlp};
                return true;
            }
            rows_ = work_->next();
            if (!rows_) return false;
            next_row_ = 0;
            const Piece& piece = pieces_[next_piece_++];
            if (is_large(state_.storages_[piece.first])) begin_large(piece.first);
        }
    }
    uint64_t entries() const override { return state_.slots_.size() * kTrieRowsOfTen / 10; }
    uint64_t bytes() const override { return state_.slots_.size() * kTrieSlotBytes; }

    /// Rows of large tries that were given with zeros; once next() has given all.
    void put_tops(db::WriteTxn& txn, db::Table table) const {
        for (size_t i = 0; i < tops_.size(); ++i) {
            const TrieRows::Row row = tops_[i];
            txn.put(table, row.key, *row.rlp);
        }
    }

  private:
    struct Piece {
        size_t first, last;
    };

    static bool is_large(const Storage& storage) noexcept {
        return storage.slot_count >= WholeTrie::kKeysOfPartsMin;
    }
    std::span<const SlotValue> slots_of(const Storage& storage) const {
        return state_.slots_.span().subspan(storage.first_slot, storage.slot_count);
    }
    const core::Address& address_of(const Storage& storage) const {
        return state_.accounts_[storage.account].address;
    }
    std::vector<core::Hash32> hash_slots(std::span<const SlotValue> slots) const {
        std::vector<std::array<uint8_t, 32>> bytes(slots.size());
        std::vector<core::ByteView> inputs(slots.size());
        for (size_t i = 0; i < slots.size(); ++i) {
            bytes[i] = slots[i].slot.to_be32();
            inputs[i] = bytes[i];
        }
        std::vector<core::Hash32> keys(slots.size());
        crypto::keccak256_batch(inputs, keys);
        return keys;
    }

    TrieRows make(const Piece& piece) const {
        TrieRows rows;
        if (is_large(state_.storages_[piece.first])) return rows;
        core::Bytes values;
        std::vector<TrieUpdate> updates;
        for (size_t at = piece.first; at < piece.last; ++at) {
            const Storage& storage = state_.storages_[at];
            const auto slots = slots_of(storage);
            const std::vector<core::Hash32> keys = hash_slots(slots);
            updates.clear();
            values.clear();
            values.reserve(slots.size() * kSlotRlpBytesMax);  // so that views of it stay
            for (size_t i = 0; i < slots.size(); ++i) {
                const size_t value_at = values.size();
                core::rlp_append_uint(values, slots[i].value);
                updates.push_back({keys[i], core::ByteView(values).sub(value_at)});
            }
            std::sort(updates.begin(), updates.end(),
                      [](const TrieUpdate& a, const TrieUpdate& b) { return a.key < b.key; });
            const Commitment commitment = Commitment::resolve_new(updates);
            roots_[at] = commitment.root();
            for (const NodeChange& change : commitment.changes())
                rows.append(address_of(storage), change.path, change.rlp);
        }
        return rows;
    }

    void begin_large(size_t at) {
        large_at_ = at;
        const auto slots = slots_of(state_.storages_[at]);
        large_keys_ = hash_slots(slots);
        large_.emplace(
            large_keys_, nothing_left_out_, kSlotRlpBytesMax,
            WholeTrie::Values{[slots](size_t index, core::Bytes& to) {
                                  core::rlp_append_uint(to, slots[index].value);
                              },
                              [slots](size_t index) { __builtin_prefetch(&slots[index].value); }});
    }
    void finish_large() {
        roots_[large_at_] = large_->root();
        for (const WholeTrie::Row& row : large_->top_rows())
            tops_.append(address_of(state_.storages_[large_at_]), row.path, row.rlp);
        large_.reset();
    }
    core::ByteView keyed(core::ByteView path) {
        const core::Address& address = address_of(state_.storages_[large_at_]);
        std::memcpy(key_.data(), address.data(), core::Address::kSize);
        std::copy(path.begin(), path.end(), key_.begin() + core::Address::kSize);
        return {key_.data(), core::Address::kSize + path.size()};
    }

    const NewState& state_;
    const std::span<core::Hash32> roots_;
    std::vector<Piece> pieces_;
    std::optional<TrieRows> rows_;
    size_t next_row_ = 0;
    size_t next_piece_ = 0;
    std::vector<core::Hash32> large_keys_;
    const std::vector<bool> nothing_left_out_;
    std::optional<WholeTrie> large_;
    size_t large_at_ = 0;
    std::array<uint8_t, core::Address::kSize + kKeyNibbles> key_;
    TrieRows tops_;
    std::optional<OrderedWork<TrieRows>> work_;  // the last member: its threads use the others
};

void NewState::append_trie_value(size_t account, std::span<const core::Hash32> roots,
                                 core::Bytes& to) const {
    const Account& from = accounts_[account];
    core::Account shown{.nonce = from.nonce, .balance = from.balance, .code_hash = code_hash(from)};
    if (from.storage != kNone) shown.storage_root = roots[from.storage];
    append_trie_account(to, shown);
}

void NewState::prefetch_account(size_t account) const noexcept {
    const auto* const at = reinterpret_cast<const uint8_t*>(&accounts_[account]);
    __builtin_prefetch(at);
    __builtin_prefetch(at + sizeof(Account) - 1);
}

core::Hash32 NewState::write(db::WriteTxn& txn, const Tables& tables) const {
    std::vector<core::Hash32> roots(storages_.size());
    CodeRows codes(*this);
    txn.load(tables.code, codes);
    SlotRows slots(*this);
    txn.load(tables.storage, slots);
    {
        StorageTries storage_tries(*this, roots);
        txn.load(tables.trie_storage, storage_tries);
        storage_tries.put_tops(txn, tables.trie_storage);
    }
    // It is begun here, so that other threads make its first parts while the accounts are written.
    WholeTrie trie(keys_.span(), replaced_, kTrieAccountBytesMax,
                   {[&](size_t account, core::Bytes& to) { append_trie_value(account, roots, to); },
                    [this](size_t account) { prefetch_account(account); }});
    AccountRows accounts(*this, roots);
    txn.load(tables.account, accounts);
    TrieTableRows rows(trie, size());
    txn.load(tables.trie_account, rows);
    for (const WholeTrie::Row& row : trie.top_rows())
        txn.put(tables.trie_account, row.path, row.rlp);
    return trie.root();
}

core::Hash32 NewState::root() const {
    std::vector<core::Hash32> roots(storages_.size());
    {
        StorageTries storage_tries(*this, roots);
        for (db::Entry entry; storage_tries.next(entry);) {
        }
    }
    WholeTrie trie(keys_.span(), replaced_, kTrieAccountBytesMax,
                   {[&](size_t account, core::Bytes& to) { append_trie_value(account, roots, to); },
                    [this](size_t account) { prefetch_account(account); }});
    while (trie.next()) {
    }
    return trie.root();
}

}  // namespace keel::state
