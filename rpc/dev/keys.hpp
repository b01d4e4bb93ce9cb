#pragma once

// The keys of solo mode. Everybody knows them: they are those that development tools derive from
// the phrase "test test test test test test test test test test test junk" (BIP-39, BIP-44 path
// m/44'/60'/0'/0/i). Nothing of worth may ever belong to them.

#include <array>
#include <optional>
#include <span>

#include "core/types/address.hpp"
#include "core/types/hash.hpp"

namespace keel::rpc::dev {

struct Key {
    core::Address address;
    core::Hash32 secret;
};

inline constexpr size_t kKeyCount = 10;

/// In the order of their index.
std::span<const Key, kKeyCount> keys();
/// Null: it is not one of ours.
const Key* find_key(const core::Address& address);

}  // namespace keel::rpc::dev
