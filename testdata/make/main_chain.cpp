#include "testdata/make/main_chain.hpp"

#include <fmt/core.h>

#include <stdexcept>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"
#include "crypto/sha256.hpp"
#include "evm/call.hpp"
#include "testdata/make/assembler.hpp"
#include "testdata/make/cast.hpp"

namespace keel::testdata {
namespace {

using core::TxType;
using core::U256;
using enum evm::Op;

constexpr uint64_t kProbeGas = 1'500'000;
constexpr uint64_t kCallerGas = 600'000;

core::Address precompile(uint64_t number) {
    return core::Address(core::ByteView(U256(number).to_be32()).sub(12));
}

// ---- Inputs of precompiles ------------------------------------------------------------------

core::Bytes ecrecover_input() {
    const core::Hash32 hash = hash_of("signed");
    const crypto::Signature signature = crypto::sign(hash, cast().alice.key);
    return words({U256::from_be(hash), U256(27u + signature.y_parity), signature.r, signature.s});
}

core::Bytes modexp_input() {  // 3 ^ 65537 mod 2^255 - 19
    const U256 modulus = (U256(1) << 255) - U256(19);
    return words({U256(32), U256(32), U256(32), U256(3), U256(65537), modulus});
}

core::Bytes bn254_pairing_input() {
    // e(P, Q) · e(-P, Q) = 1 for the generators; field modulus minus 2 negates P = (1, 2).
    const U256 minus_two = *U256::parse(
        "21888242871839275222246405745257275088696311157297823662689037894645226208581");
    const U256 x1 = *U256::parse(
        "11559732032986387107991004021392285783925812861821192530917403151452391805634");
    const U256 x0 = *U256::parse(
        "10857046999023057135944570762232829481370756359578518086990519993285655852781");
    const U256 y1 = *U256::parse(
        "4082367875863433681332203403145435568316851327593401208105741076214120093531");
    const U256 y0 = *U256::parse(
        "8495653923123431417604973247489272438418190587263600148770280649306958101930");
    return words({U256(1), U256(2), x1, x0, y1, y0, U256(1), minus_two, x1, x0, y1, y0});
}

core::Bytes blake2f_input() {  // 12 rounds over zeros, last block
    core::Bytes input(213);
    input[3] = 12;
    input[212] = 1;
    return input;
}

// The polynomial that is 0 everywhere: commitment and proof are the point at infinity (EIP-4844).
core::Bytes point_evaluation_input() {
    core::Bytes infinity(48);
    infinity[0] = 0xc0;
    core::Hash32 versioned_hash = crypto::sha256(infinity);
    versioned_hash[0] = 0x01;
    core::Bytes input = words({U256::from_be(versioned_hash), U256(12345), U256(0)});
    core::append(input, infinity);
    core::append(input, infinity);
    return input;
}

// The generator of G1 (EIP-2537: two field elements of 64 bytes).
core::Bytes bls12_381_generator() {
    return *core::from_hex(
        "0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f"
        "171bac586c55e83ff97a1aeffb3af00adb22c6bb"
        "0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb"
        "2c04b3edd03cc744a2888ae40caa232946c5e7e1");
}

struct PrecompileCall {
    uint64_t address;
    core::Bytes input;
};

std::vector<PrecompileCall> precompile_calls(const core::ForkRules& rules) {
    std::vector<PrecompileCall> calls{{1, ecrecover_input()},
                                      {1, core::Bytes(128)},
                                      {2, core::ByteView("sha").to_bytes()},
                                      {3, core::ByteView("ripemd").to_bytes()},
                                      {4, core::ByteView("identity").to_bytes()}};
    if (rules.eip_198) {
        calls.push_back({5, modexp_input()});
        calls.push_back({6, words({U256(1), U256(2), U256(1), U256(2)})});
        calls.push_back({7, words({U256(1), U256(2), U256(77)})});
        calls.push_back({7, words({U256(1), U256(3), U256(77)})});  // not on the curve
        calls.push_back({8, bn254_pairing_input()});
    }
    if (rules.eip_152) calls.push_back({9, blake2f_input()});
    if (rules.eip_4844) {
        calls.push_back({0x0a, point_evaluation_input()});
        calls.push_back({0x0a, core::Bytes(192)});  // not the hash of the commitment
    }
    if (rules.eip_2537) {
        const core::Bytes point = bls12_381_generator();
        core::Bytes two_points = point;
        core::append(two_points, point);
        core::Bytes product = point;
        core::append(product, words({U256(77)}));
        calls.push_back({0x0b, two_points});
        calls.push_back({0x0c, product});
        calls.push_back(
            {0x0d, core::Bytes(512)});  // sum, product and pairing of points at infinity
        calls.push_back({0x0e, core::Bytes(288)});
        calls.push_back({0x0f, core::Bytes(384)});
        calls.push_back({0x10, core::Bytes(64)});
        calls.push_back({0x11, core::Bytes(128)});
        calls.push_back({0x0b, core::Bytes(255)});  // a byte is missing
    }
    if (rules.eip_7951) calls.push_back({0x100, core::Bytes(160)});  // not a signature
    return calls;
}

void call_precompiles(Draft& draft, const core::ForkRules& rules) {
    for (const PrecompileCall& call : precompile_calls(rules)) {
        draft.send(cast().dave, {.to = contract::caller(),
                                 .data = word_then(word_of(precompile(call.address)), call.input),
                                 .gas = kCallerGas,
                                 .is_protected = rules.eip_155});
    }
}

// ---- Frontier to Istanbul -------------------------------------------------------------------

// Calls of a contract that was made in the block before, deposits that cannot be paid, values of s
// that only Frontier takes.
void frontier_specials(Draft& draft, uint64_t number) {
    const Cast& all = cast();
    if (number == 1) {
        draft.send(
            all.bob,
            {.to = all.carol.address, .value = kEther, .is_protected = false, .high_s = true});
        call_precompiles(draft, core::rules_of(core::Fork::Frontier));
    }
    if (number == 2) {
        const core::Bytes init = deploy(destroyer_code());
        // Enough for the init code, not for the deposit: Frontier leaves an account without code.
        draft.send(all.bob, {.data = deploy(logger_code()), .gas = 45'000, .is_protected = false});
        draft.send(all.bob, {.data = init, .gas = 200'000, .is_protected = false});
        draft.send(all.carol, {.to = contract::spinner(), .gas = 30'000, .is_protected = false});
        draft.send(all.carol, {.to = contract::factory(),
                               .data = word_then(U256(), init),
                               .gas = 300'000,
                               .is_protected = false});
    }
}

void homestead_specials(Draft& draft, uint64_t number) {
    const Cast& all = cast();
    if (number == at::kHomestead) {
        // The same create as in block 2: the deposit that cannot be paid now fails it.
        draft.send(all.bob, {.data = deploy(logger_code()), .gas = 75'000, .is_protected = false});
        // The contract that block 2 has made goes; its address comes from bob's nonce then.
        draft.send(all.bob, {.to = evm::create_address(all.bob.address, 2),
                             .data = words({word_of(address_named("heir"))}),
                             .is_protected = false});
    }
    if (number == at::kTangerineWhistle) {
        draft.send(all.carol, {.to = contract::destroyer(),
                               .value = U256(5),
                               .data = words({word_of(address_named("second heir"))}),
                               .is_protected = false});
    }
}

// Empty accounts go when they are touched (EIP-161).
void spurious_specials(Draft& draft, uint64_t number) {
    const Cast& all = cast();
    if (number != at::kSpuriousDragon + 1) return;
    draft.send(all.bob, {.to = address_named("empty account")});
    draft.send(all.bob, {.to = address_named("nobody yet")});
    draft.send(all.carol, {.to = contract::caller(),
                           .data = words({word_of(address_named("nobody at all"))}),
                           .gas = kCallerGas});
}

void byzantium_specials(Draft& draft, uint64_t number) {
    const Cast& all = cast();
    if (number == at::kByzantium) {
        draft.send(all.bob, {.to = contract::reverter()});
        draft.send(all.bob, {.to = contract::caller(),
                             .data = words({word_of(contract::reverter())}),
                             .gas = kCallerGas});
        // A static call that stores fails, and returns nothing.
        const core::Bytes init = Assembler(0, 0, 64, 0, contract::store(), 100'000, STATICCALL,
                                           RETURNDATASIZE, ADD, 1, SSTORE, STOP)
                                     .code();
        draft.send(all.carol, {.data = init, .gas = 400'000});
    }
    if (number == at::kByzantium + 1)
        call_precompiles(draft, core::rules_of(core::Fork::Byzantium));
}

// Net gas metering of SSTORE: there in Constantinople, away in Petersburg, back in Istanbul.
void net_metering(Draft& draft) {
    const U256 slot(0x5109);
    draft.send(cast().dave,
               {.to = contract::store(),
                .data = words({slot, U256(1), slot, U256(2), slot, U256(0), slot, U256(3)})});
    draft.send(cast().dave, {.to = contract::store(),
                             .data = words({slot, U256(0), slot, U256(3), slot, U256(0)})});
}

constexpr uint64_t kSalt = 0x5a17;

core::Address salted_destroyer() {
    return evm::create2_address(contract::factory(), U256(kSalt), deploy(destroyer_code()));
}

void create_salted(Draft& draft) {
    draft.send(cast().carol, {.to = contract::factory(),
                              .data = word_then(U256(kSalt), deploy(destroyer_code())),
                              .gas = 400'000});
}

void destroy_salted(Draft& draft) {
    draft.send(cast().carol, {.to = salted_destroyer(),
                              .value = U256(9),
                              .data = words({word_of(address_named("third heir"))})});
}

void constantinople_specials(Draft& draft, uint64_t number) {
    if (number == at::kConstantinople || number == at::kPetersburg || number == at::kIstanbul) {
        net_metering(draft);
    }
    if (number == at::kConstantinople) create_salted(draft);
    if (number == at::kConstantinople + 1) destroy_salted(draft);
    if (number == at::kConstantinople + 2) {
        create_salted(draft);  // the same address again
        create_salted(draft);  // and a collision
    }
    if (number == at::kPetersburg + 1) {
        destroy_salted(draft);  // destroyed, called and paid within one block
        draft.send(cast().bob, {.to = salted_destroyer(), .value = U256(3)});
    }
    if (number == at::kIstanbul + 1) call_precompiles(draft, core::rules_of(core::Fork::Istanbul));
}

// ---- Berlin to Paris ------------------------------------------------------------------------

void berlin_specials(Draft& draft, uint64_t number) {
    const Cast& all = cast();
    if (number == at::kBerlin + 1) {
        const core::Hash32 slot(U256(0x5109).to_be32());
        draft.send(all.bob, {.type = TxType::AccessList,
                             .to = contract::store(),
                             .data = words({U256(0x5109), U256(8)}),
                             .access_list = {{contract::store(), {slot, slot}},
                                             {contract::logger(), {}},
                                             {contract::logger(), {}}}});
        net_metering(draft);
        call_precompiles(draft, core::rules_of(core::Fork::Berlin));
    }
    if (number == at::kLondon) {
        // Code that begins with ef cannot be deployed any more (EIP-3541).
        const core::Bytes ef{0xef};
        draft.send(all.carol, {.data = deploy(ef)});
        net_metering(draft);
        // No fee for whoever makes the block.
        draft.send(all.bob, {.type = TxType::DynamicFee,
                             .to = all.dave.address,
                             .value = U256(1),
                             .max_priority_fee = U256(0)});
    }
}

// ---- Shanghai to BPO2 -----------------------------------------------------------------------

void shanghai_specials(Draft& draft, uint64_t number) {
    if (number != at::kShanghai + 1) return;
    draft.plan.withdrawals.push_back({1000, 7, address_named("never paid"), 0});
    draft.plan.withdrawals.push_back({1001, 7, address_named("paid twice"), 1});
    draft.plan.withdrawals.push_back({1002, 8, address_named("paid twice"), 2});
}

void send_blobs(Draft& draft, std::vector<size_t> counts) {
    uint8_t seed = static_cast<uint8_t>(draft.plan.timestamp / at::kSeconds);
    for (const size_t count : counts) {
        draft.send(cast().dave, {.type = TxType::Blob,
                                 .to = contract::logger(),
                                 .data = words({U256(1), U256(count)}),
                                 .blob_hashes = blob_hashes(count, seed++)});
    }
}

void cancun_specials(Draft& draft, uint64_t number) {
    const Cast& all = cast();
    if (number == at::kCancun) {
        // Only moves the ether: the contract is older than the transaction (EIP-6780).
        draft.send(all.carol, {.to = contract::destroyer(),
                               .value = U256(5),
                               .data = words({word_of(address_named("fourth heir"))})});
        // Made and destroyed in one transaction: gone.
        const core::Bytes init = Assembler(address_named("fifth heir"), SELFDESTRUCT).code();
        draft.send(all.carol, {.value = U256(11), .data = init});
    }
    if (number == at::kCancun + 1) {
        send_blobs(draft, {3});
        // The beacon root of the block before, out of the ring.
        draft.send(
            all.bob,
            {.to = contract::caller(),
             .data = words({word_of(contract::beacon_roots()), U256(at::time_of(number - 1))}),
             .gas = kCallerGas});
    }
    if (number == at::kCancun + 2) send_blobs(draft, {6});
    if (number == at::kCancun + 3) send_blobs(draft, {1, 2, 3});
    if (number == at::kCancun + 4) call_precompiles(draft, core::rules_of(core::Fork::Cancun));
}

core::Bytes bytes_of(uint8_t value, size_t count) {
    return core::Bytes(count, value);
}

void send_requests(Draft& draft, uint8_t seed) {
    const Cast& all = cast();
    core::Bytes exit = bytes_of(seed, 48);  // public key, then the amount
    core::append(exit, bytes_of(0, 7));
    exit.push_back(seed);
    draft.send(
        all.bob,
        {.to = contract::withdrawal_requests(), .value = U256(1000), .data = exit, .gas = 300'000});
    draft.send(all.bob, {.to = contract::consolidation_requests(),
                         .value = U256(1000),
                         .data = bytes_of(seed, 96),
                         .gas = 300'000});
    draft.send(all.carol, {.to = contract::deposit(), .data = deposit_data(seed, 32 * kGwei)});
}

void prague_specials(Draft& draft, uint64_t number) {
    const Cast& all = cast();
    if (number == at::kPrague + 1) {
        send_requests(draft, 1);
        // Delegates two accounts, one of them the sender's own; two tuples are skipped.
        const uint64_t own = draft.next_nonce(all.carol.address);
        draft.send(
            all.carol,
            {.type = TxType::SetCode,
             .to = all.authority.address,
             .data = words({U256(2), U256(0x7702)}),
             .gas = 500'000,
             .authorizations = {authorize(all.authority, contract::logger(), 0),
                                authorize(all.carol, contract::store(), own + 1, U256(0)),
                                authorize(all.other_authority, contract::logger(), 5),
                                authorize(all.other_authority, contract::logger(), 0, U256(1))}});
        draft.skip_nonce(all.carol.address);
        draft.skip_nonce(all.authority.address);
    }
    if (number == at::kPrague + 2) {
        // Two deposits in one transaction's place, a request each; calls of delegated accounts, and
        // one of them sends.
        draft.send(all.dave, {.to = contract::deposit(), .data = deposit_data(2, kGwei)});
        draft.send(all.dave, {.to = contract::deposit(), .data = deposit_data(3, kGwei)});
        draft.send(all.bob, {.to = all.carol.address, .data = words({U256(0x7702), U256(1)})});
        draft.send(all.authority, {.to = all.bob.address, .value = U256(1)});
    }
    if (number == at::kPrague + 3) {
        // Hash of an ancestor from the state (EIP-2935), and the delegation taken back.
        draft.send(all.bob, {.to = contract::caller(),
                             .data = words({word_of(contract::block_hashes()), U256(number - 2)}),
                             .gas = kCallerGas});
        const uint64_t nonce = draft.next_nonce(all.authority.address);
        draft.send(all.dave,
                   {.type = TxType::SetCode,
                    .to = all.bob.address,
                    .authorizations = {authorize(all.authority, core::Address(), nonce)}});
        draft.skip_nonce(all.authority.address);
        // More requests than one block takes: the rest waits.
        for (uint8_t seed = 10; seed < 14; ++seed) send_requests(draft, seed);
    }
    if (number == at::kPrague + 4) send_blobs(draft, {6, 3});
    if (number == at::kPrague + 5) call_precompiles(draft, core::rules_of(core::Fork::Prague));
}

void osaka_specials(Draft& draft, uint64_t number) {
    const Cast& all = cast();
    if (number == at::kOsaka + 1) {
        call_precompiles(draft, core::rules_of(core::Fork::Osaka));
        // The highest gas limit that a transaction may have (EIP-7825).
        draft.send(all.bob, {.to = all.dave.address, .value = U256(1), .gas = 1 << 24});
    }
    if (number == at::kOsaka + 2) send_blobs(draft, {6, 3});
    if (number == at::kBpo1 + 1 || number == at::kBpo1 + 2) send_blobs(draft, {6, 6, 3});
    if (number == at::kBpo2 + 1 || number == at::kBpo2 + 2) send_blobs(draft, {6, 6, 6, 3});
    if (number == at::kBpo2 + 3) send_requests(draft, 20);
}

void add_ommers(Draft& draft, const ChainMaker& chain, uint64_t number) {
    const auto ommer = [&](uint64_t parent, const char* who) {
        // A little later than the block that won.
        draft.plan.ommers.push_back(
            chain.make_ommer(parent, at::time_of(parent + 1) + 3, address_named(who)));
    };
    if (number == 3) ommer(1, "ommer 2");
    if (number == 13) {
        ommer(10, "ommer 11");
        ommer(11, "ommer 12");
    }
    if (number == 21) ommer(14, "ommer 15");  // as old as it may be: six generations
    if (number == 34) ommer(32, "ommer 33");  // with a base fee
}

}  // namespace

void add_surroundings(Draft& draft, const core::ForkRules& rules, uint64_t number, uint64_t salt) {
    draft.plan.coinbase = address_named(fmt::format("coinbase {} {}", number % 7, salt));
    if (rules.eip_4399) draft.plan.mix_hash = hash_of(fmt::format("randao {} {}", number, salt));
    if (rules.eip_4788) draft.plan.beacon_root = hash_of(fmt::format("beacon {} {}", number, salt));
    if (!rules.eip_4895) return;
    for (uint64_t i = 0; i < 3; ++i) {
        draft.plan.withdrawals.push_back({number * 10 + i, i,
                                          address_named(fmt::format("staker {}", i)),
                                          1'000 + number + salt});
    }
}

void add_ordinary_txs(Draft& draft, const core::ForkRules& rules, uint64_t number, uint64_t salt) {
    const Cast& all = cast();
    const bool is_protected = rules.eip_155;
    draft.send(all.alice, {.to = address_named(fmt::format("friend {}", number % 11)),
                           .value = U256(number * 1'000 + salt),
                           .gas = 21'000,
                           .is_protected = is_protected});
    draft.send(all.alice, {.to = contract::store(),
                           .data = words({U256(number), U256(number + salt), U256(number / 2),
                                          U256(0), U256(1000), U256(number)}),
                           .is_protected = is_protected});
    draft.send(all.alice, {.to = contract::logger(),
                           .data = words({U256(number % 5), U256(number), U256(salt)}),
                           .is_protected = is_protected});
    if (rules.eip_2930) {
        draft.send(all.alice,
                   {.type = TxType::AccessList,
                    .to = contract::store(),
                    .data = words({U256(number), U256(salt)}),
                    .access_list = {{contract::store(), {core::Hash32(U256(number).to_be32())}}}});
    }
    if (rules.eip_1559) {
        draft.send(all.alice, {.type = TxType::DynamicFee,
                               .to = contract::logger(),
                               .data = words({U256(2), U256(number)})});
    }
}

std::unique_ptr<ChainMaker> make_main_chain() {
    auto chain = std::make_unique<ChainMaker>(genesis_json({}));
    std::optional<core::Fork> before;
    for (uint64_t number = 1; number <= at::kHead; ++number) {
        Draft draft(*chain, at::time_of(number));
        const core::ForkRules rules = chain->rules_at(draft.plan.timestamp).rules;
        add_surroundings(draft, rules, number, 0);
        add_ordinary_txs(draft, rules, number, 0);
        // The first block of each set of rules asks for all that it can see of itself.
        if (rules.fork != before) {
            draft.send(cast().alice, {.data = probe_init_code(rules, contract::logger()),
                                      .gas = kProbeGas,
                                      .is_protected = rules.eip_155});
        }
        before = rules.fork;
        frontier_specials(draft, number);
        homestead_specials(draft, number);
        spurious_specials(draft, number);
        byzantium_specials(draft, number);
        constantinople_specials(draft, number);
        berlin_specials(draft, number);
        shanghai_specials(draft, number);
        cancun_specials(draft, number);
        prague_specials(draft, number);
        osaka_specials(draft, number);
        add_ommers(draft, *chain, number);
        chain->add(draft.plan);
    }
    const U256 terminal(kTerminalTotalDifficulty);
    if (chain->total_difficulty(at::kMerge - 1) < terminal ||
        chain->total_difficulty(at::kMerge - 2) >= terminal) {
        throw std::runtime_error(fmt::format(
            "the merge is not at block {}: total difficulty {} before it, {} at its parent",
            at::kMerge, chain->total_difficulty(at::kMerge - 2).to_decimal(),
            chain->total_difficulty(at::kMerge - 1).to_decimal()));
    }
    return chain;
}

}  // namespace keel::testdata
