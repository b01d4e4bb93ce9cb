#include "state/running_root.hpp"

namespace keel::state {

using core::ByteView;

std::optional<ByteView> RunningRoot::Nodes::account_node(ByteView path) {
    const auto found = account.find(path);
    if (found == account.end()) return stored_.account_node(path);
    if (!found->second) return std::nullopt;
    return ByteView(*found->second);
}

std::optional<ByteView> RunningRoot::Nodes::storage_node(const core::Address& address,
                                                         ByteView path) {
    key_.clear();
    core::append(key_, address);
    core::append(key_, path);
    const auto found = storage.find(ByteView(key_));
    if (found == storage.end()) return stored_.storage_node(address, path);
    if (!found->second) return std::nullopt;
    return ByteView(*found->second);
}

void RunningRoot::Nodes::put(const TrieChanges& changes) {
    const auto merge = [](Rows& to, const TrieRows& rows) {
        for (size_t at = 0; at < rows.size(); ++at) {
            const TrieRows::Row row = rows[at];
            auto found = to.find(row.key);
            if (found == to.end()) found = to.emplace(row.key.to_bytes(), std::nullopt).first;
            if (row.rlp) {
                found->second.emplace(row.rlp->begin(), row.rlp->end());
            } else {
                found->second.reset();
            }
        }
    };
    merge(account, changes.account);
    merge(storage, changes.storage);
}

core::Hash32 RunningRoot::after(Values dirty) {
    for (AccountValue& value : dirty.accounts) {
        if (!value.account || value.slot_count != 0) continue;
        const auto found = storage_roots_.find(value.address);
        if (found != storage_roots_.end()) value.account->storage_root = found->second;
    }
    TrieChanges changes;
    const core::Hash32 root = resolve_state_root(nodes_, dirty, &changes);
    nodes_.put(changes);
    for (const AccountValue& value : dirty.accounts) {
        if (!value.account) {
            storage_roots_[value.address] = core::kEmptyTrieRoot;
        } else if (value.slot_count != 0) {
            storage_roots_[value.address] = value.account->storage_root;
        }
    }
    return root;
}

void RunningRoot::put_storage_roots(ChangeSet& changes) const {
    for (AccountChange& change : changes.accounts) {
        if (!change.after) {
            if (change.slot_count == 0 && change.before)
                check_storage_gone(change.address, change.before->storage_root);
            continue;
        }
        const auto found = storage_roots_.find(change.address);
        if (found != storage_roots_.end()) change.after->storage_root = found->second;
    }
}

TrieChanges RunningRoot::rows() const {
    TrieChanges changes;
    const auto append = [](TrieRows& to, const Rows& rows) {
        for (const auto& [key, rlp] : rows) {
            to.append({}, key, rlp ? std::optional(ByteView(*rlp)) : std::nullopt);
        }
    };
    append(changes.account, nodes_.account);
    append(changes.storage, nodes_.storage);
    return changes;
}

TrieChanges RunningRoot::rows_before() {
    TrieChanges changes;
    for (const auto& [path, rlp] : nodes_.account) {
        changes.account.append({}, path, nodes_.stored().account_node(path));
    }
    for (const auto& [key, rlp] : nodes_.storage) {
        const core::Address address(ByteView(key).sub(0, core::Address::kSize));
        const ByteView path = ByteView(key).sub(core::Address::kSize);
        changes.storage.append(address, path, nodes_.stored().storage_node(address, path));
    }
    return changes;
}

}  // namespace keel::state
