#include "rpc/dev/keys.hpp"

#include <algorithm>

#include "core/types/account.hpp"
#include "crypto/secp256k1.hpp"

namespace keel::rpc::dev {
namespace {

constexpr std::array<core::Hash32, kKeyCount> kSecrets = {
    core::hash_of_digits("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    core::hash_of_digits("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    core::hash_of_digits("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    core::hash_of_digits("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    core::hash_of_digits("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    core::hash_of_digits("8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    core::hash_of_digits("92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    core::hash_of_digits("4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
    core::hash_of_digits("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
    core::hash_of_digits("2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
};

std::array<Key, kKeyCount> derive() {
    std::array<Key, kKeyCount> derived;
    for (size_t i = 0; i < kKeyCount; ++i) {
        derived[i] = {.address = crypto::address_of(kSecrets[i]), .secret = kSecrets[i]};
    }
    return derived;
}

}  // namespace

std::span<const Key, kKeyCount> keys() {
    static const std::array<Key, kKeyCount> kKeys = derive();
    return kKeys;
}

const Key* find_key(const core::Address& address) {
    const auto found = std::ranges::find(keys(), address, &Key::address);
    return found == keys().end() ? nullptr : &*found;
}

}  // namespace keel::rpc::dev
