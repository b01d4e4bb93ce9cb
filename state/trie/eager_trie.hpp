#pragma once

#include <map>

#include "core/bytes.hpp"
#include "core/types/hash.hpp"

namespace keel::state {

/// The plain twin of Commitment, for tests and benchmarks: keys of any length in an ordered map,
/// every node built and hashed anew whenever a result is asked for.
class EagerTrie {
  public:
    /// An empty value erases.
    void insert(core::ByteView key, core::ByteView value);
    void erase(core::ByteView key);

    core::Hash32 root() const;
    /// Every node's RLP by its path (one nibble a byte), embedded ones too.
    std::map<core::Bytes, core::Bytes> nodes() const;

  private:
    std::map<core::Bytes, core::Bytes> values_;  // by the nibbles of the key
};

}  // namespace keel::state
