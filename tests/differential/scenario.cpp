#include "tests/differential/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/hex.hpp"
#include "evm/call.hpp"
#include "tests/differential/program.hpp"

namespace keel::differential {
namespace {

using core::Fork;

Address address_of(uint8_t high, uint8_t low) {
    Address address;
    address[18] = high;
    address[19] = low;
    return address;
}

/// Forks whose machines differ, the newest ones more often.
Fork random_fork(Random& random) {
    return random.pick({Fork::Frontier, Fork::Homestead, Fork::TangerineWhistle,
                        Fork::SpuriousDragon, Fork::Byzantium, Fork::Constantinople,
                        Fork::Petersburg, Fork::Istanbul, Fork::Berlin, Fork::London, Fork::Paris,
                        Fork::Shanghai, Fork::Cancun, Fork::Cancun, Fork::Prague, Fork::Prague,
                        Fork::Osaka, Fork::Osaka, Fork::Osaka});
}

constexpr uint8_t kContracts = 3;

Bytes designator(const Address& delegate) {
    Bytes code{0xef, 0x01, 0x00};
    core::append(code, delegate);
    return code;
}

}  // namespace

Scenario random_scenario(uint64_t seed) {
    Random random(seed);
    Scenario scenario;
    scenario.fork = random_fork(random);
    const core::ForkRules rules = core::rules_of(scenario.fork);
    evm::BlockContext& block = scenario.block;
    block.coinbase = address_of(0xcb, 1);
    block.number = 1000;
    block.timestamp = 1'700'000'000;
    block.gas_limit = 30'000'000;
    block.difficulty = 131072;
    block.prev_randao = Hash32(random.word().to_be32());
    block.base_fee = 7;
    block.blob_base_fee = 1;
    block.chain_id = 1;
    scenario.gas_price = 10;
    scenario.heat = random.pick({0u, 0u, 0u, 1u, 2u});
    for (uint64_t i = random.below(4); i > 0; --i) {
        scenario.blob_hashes.emplace_back(random.word().to_be32());
    }

    Vocabulary vocabulary;
    vocabulary.rules = rules;
    for (uint64_t i = 0; i < 4; ++i) vocabulary.keys.push_back(i);
    vocabulary.keys.push_back(U256::max());
    const Address payer = address_of(0xaa, 1), poor = address_of(0xaa, 2);
    const Address empty = address_of(0xaa, 3), absent = address_of(0xaa, 4);
    const Address delegated = address_of(0xaa, 5);
    for (uint8_t i = 0; i < kContracts; ++i) {
        const Address contract = address_of(0xc0, i);
        for (int times = 0; times < 4; ++times) vocabulary.addresses.push_back(contract);
        scenario.interesting.push_back(contract);
    }
    const bool delegates = rules.eip_7702 && random.one_in(2);
    if (delegates) {
        for (int times = 0; times < 3; ++times) vocabulary.addresses.push_back(delegated);
        scenario.interesting.push_back(delegated);
    }
    scenario.with_storage = scenario.interesting.size();
    for (const Address& address : {payer, poor, empty, absent, block.coinbase}) {
        vocabulary.addresses.push_back(address);
        scenario.interesting.push_back(address);
    }
    // Precompiles, and one behind the last of them; the cheap ones more often.
    const auto precompile = static_cast<uint8_t>(random.between(1, 18));
    for (const Address& address : {address_of(0, 2), address_of(0, 3), address_of(0, 4),
                                   address_of(0, precompile), address_of(1, 0)}) {
        vocabulary.addresses.push_back(address);
    }
    scenario.interesting.push_back(address_of(0, 3));

    for (uint8_t i = 0; i < kContracts; ++i) {
        Scenario::Account& account = scenario.accounts.emplace_back();
        account.address = address_of(0xc0, i);
        account.nonce = random.one_in(40) ? UINT64_MAX - random.below(2) : 1 + random.below(3);
        if (random.one_in(2)) account.balance = random.below(10'000);
        account.code =
            random_program(random, vocabulary, static_cast<unsigned>(random.between(2, 14)));
        for (const U256& key : vocabulary.keys) {
            if (random.one_in(3)) account.storage.emplace_back(key, 1 + random.below(3));
        }
    }
    scenario.accounts.push_back({payer, 5, U256(1'000'000'000), {}, {}});
    scenario.accounts.push_back({poor, 0, U256(3), {}, {}});
    if (random.one_in(2)) scenario.accounts.push_back({empty, 0, {}, {}, {}});
    if (random.one_in(8)) scenario.accounts.push_back({address_of(0, 3), 0, {}, {}, {}});
    if (delegates) {
        const Address to = random.one_in(6) ? random.element(vocabulary.addresses)
                                            : address_of(0xc0, random.byte() % kContracts);
        scenario.accounts.push_back({delegated, 1, U256(77), designator(to), {}});
    }
    // Where the next create of a contract leads to, something may be already.
    const Scenario::Account creator = scenario.accounts[random.below(kContracts)];
    const Address created = evm::create_address(creator.address, creator.nonce);
    scenario.interesting.insert(scenario.interesting.begin(), created);
    ++scenario.with_storage;
    if (random.one_in(8)) {
        Scenario::Account account{created, 0, {}, {}, {}};
        switch (random.below(4)) {
            case 0:
                account.balance = 9;
                break;
            case 1:
                account.nonce = 1;
                break;
            case 2:
                account.code = {0x00};
                break;
            default:
                account.storage.emplace_back(U256(1), U256(1));
                break;
        }
        scenario.accounts.push_back(std::move(account));
    }
    scenario.keys = vocabulary.keys;

    uint64_t nonce = 6;
    for (uint64_t i = random.one_in(3) ? 2 + random.below(2) : 1; i > 0; --i) {
        Call& call = scenario.messages.emplace_back();
        call.gas = static_cast<int64_t>(random.one_in(8) ? random.below(3000)
                                                         : random.between(20'000, 200'000));
        call.sender = payer;
        if (random.one_in(4)) call.value = random.below(1000);
        if (random.one_in(12)) {
            call.kind = Kind::Create;
            call.recipient = evm::create_address(payer, nonce++);
            call.input =
                random_program(random, vocabulary, static_cast<unsigned>(random.between(1, 12)));
        } else {
            call.recipient = delegates && random.one_in(8)
                                 ? delegated
                                 : address_of(0xc0, random.byte() % kContracts);
            if (random.one_in(60)) call.recipient = random.element(vocabulary.addresses);
            call.code_address = call.recipient;
            for (uint64_t size = random.below(80); size > 0; --size) {
                call.input.push_back(random.one_in(3) ? 0 : random.byte());
            }
        }
    }
    return scenario;
}

std::string to_text(const Scenario& scenario) {
    std::string text =
        fmt::format("fork {}, heat {}\n", core::to_string(scenario.fork), scenario.heat);
    for (const Scenario::Account& account : scenario.accounts) {
        text += fmt::format("account {} nonce {} balance {} code {}\n",
                            core::to_hex_prefixed(account.address), account.nonce,
                            account.balance.to_quantity(), core::to_hex(account.code));
        for (const auto& [key, value] : account.storage) {
            text += fmt::format("  slot {} = {}\n", key.to_quantity(), value.to_quantity());
        }
    }
    for (const Call& call : scenario.messages) {
        text += fmt::format("{} of {} gas {} value {} input {}\n",
                            call.kind == Kind::Create ? "create" : "call",
                            core::to_hex_prefixed(call.recipient), call.gas,
                            call.value.to_quantity(), core::to_hex(call.input));
    }
    return text;
}

}  // namespace keel::differential
