#include "evm/precompiles/table.hpp"

#include <gtest/gtest.h>

#include "core/hex.hpp"

namespace keel::evm {
namespace {

using core::Address;
using core::Bytes;
using core::ByteView;
using core::ForkRules;

ForkRules newest_rules() {
    ForkRules rules{};
    rules.eip_152 = rules.eip_196 = rules.eip_197 = rules.eip_198 = rules.eip_1108 = true;
    rules.eip_2565 = rules.eip_2537 = rules.eip_4844 = true;
    rules.eip_7823 = rules.eip_7883 = rules.eip_7951 = true;
    return rules;
}

Address address_of(uint16_t number) {
    Address address{};
    address[18] = static_cast<uint8_t>(number >> 8);
    address[19] = static_cast<uint8_t>(number);
    return address;
}

struct Outcome {
    PrecompileStatus status;
    int64_t gas_left;
    std::string output;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& o) {
    return out << "{" << static_cast<int>(o.status) << ", " << o.gas_left << ", " << o.output
               << "}";
}

Outcome call(uint16_t number, ByteView input, int64_t gas,
             const ForkRules& rules = newest_rules()) {
    const Precompile* precompile = find_precompile(address_of(number), rules);
    EXPECT_NE(precompile, nullptr) << number;
    Bytes output{0xee};
    const auto result = run_precompile(*precompile, input, gas, rules, output);
    return {result.status, result.gas_left, core::to_hex(output)};
}

Outcome success(int64_t gas_left, std::string output) {
    return {PrecompileStatus::Success, gas_left, std::move(output)};
}
const Outcome kFailure{PrecompileStatus::Failure, 0, ""};

Bytes hex(std::string_view digits) {
    return *core::from_hex(digits);
}
std::string zeros(size_t bytes) {
    return std::string(2 * bytes, '0');
}

TEST(PrecompileTable, a_fork_has_the_precompiles_of_its_rules) {
    const auto numbers = [](const ForkRules& rules) {
        std::vector<int> found;
        for (int number = 0; number <= 0xffff; ++number) {
            if (find_precompile(address_of(static_cast<uint16_t>(number)), rules) != nullptr) {
                found.push_back(number);
            }
        }
        return found;
    };
    ForkRules rules{};
    EXPECT_EQ(numbers(rules), (std::vector{1, 2, 3, 4}));
    rules.eip_198 = rules.eip_196 = rules.eip_197 = true;
    EXPECT_EQ(numbers(rules), (std::vector{1, 2, 3, 4, 5, 6, 7, 8}));
    rules.eip_152 = true;
    EXPECT_EQ(numbers(rules), (std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9}));
    rules.eip_4844 = true;
    EXPECT_EQ(numbers(rules), (std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
    rules.eip_2537 = true;
    EXPECT_EQ(numbers(rules),
              (std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}));
    rules.eip_7951 = true;
    EXPECT_EQ(numbers(rules),
              (std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0x100}));
}

TEST(PrecompileTable, all_bytes_of_the_address_count) {
    for (size_t byte = 0; byte < 18; ++byte) {
        Address address = address_of(1);
        address[byte] = 1;
        EXPECT_EQ(find_precompile(address, newest_rules()), nullptr) << byte;
    }
}

TEST(PrecompileTable, the_price_is_taken_and_must_be_there) {
    EXPECT_EQ(call(4, hex("0102"), 18), success(0, "0102"));
    EXPECT_EQ(call(4, hex("0102"), 17), kFailure);
    EXPECT_EQ(call(4, {}, 15), success(0, ""));
    EXPECT_EQ(call(4, Bytes(32), 18), success(0, zeros(32)));
    EXPECT_EQ(call(4, Bytes(33), 21), success(0, zeros(33)));
    EXPECT_EQ(call(4, Bytes(33), 20), kFailure);
}

TEST(PrecompileTable, hashes) {
    EXPECT_EQ(call(2, "abc", 100),
              success(28, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    EXPECT_EQ(call(2, {}, 60),
              success(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    EXPECT_EQ(call(3, "abc", 720),
              success(0, zeros(12) + "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"));
    EXPECT_EQ(call(3, "abc", 719), kFailure);
}

// The signature of EIP-155's example.
const std::string kHash = "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53";
const std::string kRS =
    "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
    "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
const std::string kSigner = "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f";

TEST(Ecrecover, gives_the_signer_or_nothing) {
    const std::string v27 = zeros(31) + "1b";
    EXPECT_EQ(call(1, hex(kHash + v27 + kRS), 3'000), success(0, zeros(12) + kSigner));
    EXPECT_EQ(call(1, hex(kHash + v27 + kRS), 2'999), kFailure);
    EXPECT_EQ(call(1, hex(kHash + v27 + kRS + "ff"), 3'001), success(1, zeros(12) + kSigner));
    EXPECT_EQ(call(1, hex(kHash + zeros(31) + "1d" + kRS), 3'000), success(0, ""));
    EXPECT_EQ(call(1, hex(kHash + zeros(31) + "00" + kRS), 3'000), success(0, ""));
    EXPECT_EQ(call(1, hex(kHash + "01" + zeros(30) + "1b" + kRS), 3'000), success(0, ""));
    EXPECT_EQ(call(1, hex(kHash + v27 + zeros(64)), 3'000), success(0, ""));
    EXPECT_EQ(call(1, {}, 3'000), success(0, ""));
}

TEST(Bn254, prices_follow_eip_1108_and_inputs_are_padded) {
    ForkRules byzantium{};
    byzantium.eip_196 = byzantium.eip_197 = true;
    EXPECT_EQ(call(6, {}, 150), success(0, zeros(64)));
    EXPECT_EQ(call(6, {}, 149), kFailure);
    EXPECT_EQ(call(6, {}, 500, byzantium), success(0, zeros(64)));
    EXPECT_EQ(call(6, {}, 499, byzantium), kFailure);
    EXPECT_EQ(call(7, {}, 6'000), success(0, zeros(64)));
    EXPECT_EQ(call(7, {}, 40'000, byzantium), success(0, zeros(64)));
    EXPECT_EQ(call(7, {}, 39'999, byzantium), kFailure);
    EXPECT_EQ(call(8, {}, 45'000), success(0, zeros(31) + "01"));
    EXPECT_EQ(call(8, Bytes(192), 79'000), success(0, zeros(31) + "01"));
    EXPECT_EQ(call(8, Bytes(192), 78'999), kFailure);
    EXPECT_EQ(call(8, Bytes(384), 260'000, byzantium), success(0, zeros(31) + "01"));
    EXPECT_EQ(call(8, Bytes(384), 259'999, byzantium), kFailure);
    EXPECT_EQ(call(8, Bytes(191), 1'000'000), kFailure);

    const std::string one = zeros(31) + "01", two = zeros(31) + "02";
    const std::string doubled =
        "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3"
        "15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4";
    EXPECT_EQ(call(6, hex(one + two + one + two + "ffff"), 150), success(0, doubled));
    EXPECT_EQ(call(7, hex(one + two + two), 6'000), success(0, doubled));
    EXPECT_EQ(call(6, hex(one + one), 150), kFailure);
    EXPECT_EQ(call(7, hex(one + one), 1'000'000), kFailure);
}

// EIP-152, test case 5.
const std::string kBlake2Input =
    "0000000c48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5d182e6ad7f520e511f6c3e"
    "2b"
    "8c68059b6bbd41fbabd9831f79217e1319cde05b616263000000000000000000000000000000000000000000000000"
    "00"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00"
    "000000000300000000000000000000000000000001";

TEST(Blake2f, pays_for_its_rounds_and_wants_its_exact_input) {
    const Bytes input = hex(kBlake2Input);
    const std::string expected =
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923";
    EXPECT_EQ(call(9, input, 12), success(0, expected));
    EXPECT_EQ(call(9, input, 11), kFailure);
    EXPECT_EQ(call(9, ByteView(input).sub(0, 212), 100), kFailure);
    Bytes longer = input;
    longer.push_back(1);
    EXPECT_EQ(call(9, longer, 100), kFailure);
    EXPECT_EQ(call(9, {}, 100), kFailure);
    Bytes bad_flag = input;
    bad_flag.back() = 2;
    EXPECT_EQ(call(9, bad_flag, 100), kFailure);
    Bytes many_rounds = input;
    many_rounds[0] = 0xff;
    EXPECT_EQ(call(9, many_rounds, 0xff00'000b), kFailure);
}

TEST(P256verify, gives_one_or_nothing_and_costs_the_same) {
    // RFC 6979, A.2.5, message "sample".
    const std::string hash = "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf";
    const std::string signature =
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
    const std::string key =
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
    EXPECT_EQ(call(0x100, hex(hash + signature + key), 6'900), success(0, zeros(31) + "01"));
    EXPECT_EQ(call(0x100, hex(hash + signature + key), 6'899), kFailure);
    EXPECT_EQ(call(0x100, hex(hash + signature + key + "00"), 6'900), success(0, ""));
    EXPECT_EQ(call(0x100, hex(hash + signature), 6'900), success(0, ""));
    EXPECT_EQ(call(0x100, hex(signature.substr(0, 64) + signature + key), 6'900), success(0, ""));
}

TEST(PointEvaluation, wants_the_hash_of_its_commitment_and_a_proof) {
    // The polynomial 0, whose commitment and proof are infinity.
    const std::string commitment = "c0" + zeros(47);
    const std::string versioned_hash =
        "010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014";
    const std::string one = zeros(31) + "01";
    const std::string expected =
        zeros(30) + "1000" + "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    const Bytes input = hex(versioned_hash + zeros(64) + commitment + commitment);
    EXPECT_EQ(call(0x0a, input, 50'000), success(0, expected));
    EXPECT_EQ(call(0x0a, input, 49'999), kFailure);
    EXPECT_EQ(call(0x0a, hex(versioned_hash + one + one + commitment + commitment), 50'000),
              kFailure);
    EXPECT_EQ(call(0x0a, Bytes(192), 50'000), kFailure);
    EXPECT_EQ(call(0x0a, ByteView(input).sub(0, 191), 50'000), kFailure);
    EXPECT_EQ(name_of(*find_precompile(address_of(0x0a), newest_rules())), "KZG point evaluation");
}

TEST(Bls12, prices_follow_the_number_of_pairs_and_lengths_are_exact) {
    struct Case {
        uint16_t number;
        size_t bytes;
        int64_t gas;
    };
    constexpr Case kCases[] = {
        {0x0b, 256, 375},           {0x0c, 160, 12'000},         {0x0d, 512, 600},
        {0x0e, 288, 22'500},        {0x0f, 384, 70'300},         {0x10, 64, 5'500},
        {0x11, 128, 23'800},        {0x0c, 320, 22'776},         {0x0e, 576, 45'000},
        {0x0c, 160 * 129, 803'412}, {0x0e, 288 * 129, 1'520'910}};
    for (const Case& c : kCases) {
        EXPECT_EQ(call(c.number, Bytes(c.bytes), c.gas).status, PrecompileStatus::Success)
            << c.number;
        EXPECT_EQ(call(c.number, Bytes(c.bytes), c.gas - 1), kFailure) << c.number;
        EXPECT_EQ(call(c.number, Bytes(c.bytes + 1), 10'000'000), kFailure) << c.number;
        EXPECT_EQ(call(c.number, {}, 10'000'000), kFailure) << c.number;
    }
    // Points at infinity.
    EXPECT_EQ(call(0x0b, Bytes(256), 375), success(0, zeros(128)));
    EXPECT_EQ(call(0x0c, Bytes(160), 12'000), success(0, zeros(128)));
    EXPECT_EQ(call(0x0e, Bytes(288), 22'500), success(0, zeros(256)));
    EXPECT_EQ(call(0x0f, Bytes(384), 70'300), success(0, zeros(31) + "01"));
}

}  // namespace
}  // namespace keel::evm
