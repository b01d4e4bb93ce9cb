#pragma once

// Trees of blocks for the torture of reorganizations: valid and invalid ones at random, on a
// genesis of our own or on a chain of the fixtures.

#include <functional>
#include <optional>
#include <random>
#include <vector>

#include "chain/chain.hpp"
#include "core/types/address.hpp"
#include "crypto/seal.hpp"
#include "db/open.hpp"
#include "rpc/dispatch.hpp"
#include "testdata/make/wallet.hpp"

namespace keel::tests::reorg {

using core::Hash32;

inline constexpr size_t kDepthMax = 512;
inline constexpr size_t kAccounts = 24;
inline constexpr size_t kPoolSenders = 3;
inline constexpr uint64_t kPoolTxs = 100;  // of each

core::Address account(size_t index);
/// Stores the second word of its data under the first, and logs with the first as topic.
const core::Address& contract();

/// What waits in every pool, unless it is mined: transfers with the nonces 0, 1, ... of each
/// sender.
struct PoolSender {
    testdata::Signer signer;
    std::vector<core::Bytes> raws;
};

const std::vector<PoolSender>& pool_senders();

/// What a tree grows on.
struct Ground {
    std::function<Hash32(const db::Database&)> write_genesis;
    std::vector<crypto::SealedBlock> chain = {};  // of a fixture, from block 1 on: the trunk
    bool genesis_is_work = false;                 // then it is no latest valid hash
};
/// Four forks from Shanghai to Osaka, funded senders, a contract.
Ground own_ground();
/// hive's chain of 3000 blocks, Cancun; none: the fixtures are not here.
std::optional<Ground> fixture_ground();

constexpr size_t kGenesis = SIZE_MAX;  // as a parent

/// A block of the tree.
struct Made {
    crypto::SealedBlock block;
    size_t parent = kGenesis;
    size_t depth = 1;
    bool is_valid = true;     // by itself
    bool chain_valid = true;  // and so are all its ancestors
};

using Random = std::mt19937_64;

inline uint64_t below(Random& random, uint64_t limit) {
    return random() % limit;
}

/// Makes valid children of any block, on a chain of its own whose head it moves about.
class Maker {
  public:
    explicit Maker(const Ground& ground);
    crypto::SealedBlock child_of(const Hash32& parent, Random& random);
    /// A block that came from elsewhere.
    void take(const crypto::SealedBlock& block);
    const Hash32& genesis_hash() const noexcept { return genesis_hash_; }

  private:
    template <class Change>
    void change(const Change& apply) {
        auto txn = database_.begin_rw();
        apply(*txn);
        txn->commit();
        chain_->on_commit();
    }
    std::vector<core::Bytes> txs_behind(const db::ReadTxn& txn, Random& random) const;
    crypto::SealedBlock make(Random& random);

    const Ground& ground_;
    db::Database database_;
    std::optional<chain::Chain> chain_;
    rpc::Worker worker_;
    Hash32 genesis_hash_;
    std::optional<Hash32> head_;
};

/// Parents stand before their children.
class Tree {
  public:
    /// lifetime: the ground.
    Tree(uint64_t seed, const Ground& ground);

    uint64_t seed() const noexcept { return seed_; }
    Random& random() noexcept { return random_; }
    std::vector<Made> blocks;

  private:
    void grow_trunk(size_t length);
    void grow(size_t count);
    void add(size_t parent);
    crypto::SealedBlock child_of_bad(const crypto::SealedBlock& parent);

    uint64_t seed_;
    const Ground& ground_;
    Random random_;
    Maker maker_;
};

}  // namespace keel::tests::reorg
