#include "crypto/kzg.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "core/hex.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::crypto {
namespace {

using core::Bytes;
using core::ByteView;

// The flat `name: 'value'` lines of a case.
std::map<std::string, std::string> read_case(const std::filesystem::path& path) {
    std::map<std::string, std::string> members;
    std::ifstream stream(path);
    for (std::string line; std::getline(stream, line);) {
        const size_t begin = line.find_first_not_of(' ');
        const size_t colon = line.find(':');
        if (begin == std::string::npos || colon == std::string::npos) continue;
        std::string value = line.substr(colon + 1);
        std::erase_if(value, [](char c) { return c == ' ' || c == '\'' || c == '"'; });
        members[line.substr(begin, colon - begin)] = value;
    }
    return members;
}

TEST(KzgVectors, verify_kzg_proof) {
    const auto set = tests::fixture_set("kzg");
    if (!set) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    size_t count = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(*set / "tests" / "verify_kzg_proof" / "kzg-mainnet")) {
        SCOPED_TRACE(entry.path().filename().string());
        auto members = read_case(entry.path() / "data.yaml");
        const auto bytes = [&members](const char* name) {
            const auto found = core::from_hex(members.at(name));
            EXPECT_TRUE(found) << name << " " << members.at(name);
            return found.value_or(Bytes{});
        };
        const auto verified =
            verify_kzg_proof(bytes("commitment"), bytes("z"), bytes("y"), bytes("proof"));
        const std::string result = !verified ? "null" : *verified ? "true" : "false";
        EXPECT_EQ(result, members.at("output"));
        ++count;
    }
    EXPECT_GT(count, 50u);
    RecordProperty("vectors", static_cast<int>(count));
}

TEST(Kzg, a_constant_polynomial_has_its_value_everywhere) {
    // The polynomial 0: commitment and proof at infinity.
    Bytes infinity(48);
    infinity[0] = 0xc0;
    const Bytes zero(32);
    Bytes one(32);
    one[31] = 1;
    EXPECT_EQ(verify_kzg_proof(infinity, one, zero, infinity), true);
    EXPECT_EQ(verify_kzg_proof(infinity, one, one, infinity), false);
    // The polynomial 1: the generator of G1.
    const Bytes generator = *core::from_hex(
        "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb"
        "22c6bb");
    EXPECT_EQ(verify_kzg_proof(generator, zero, one, infinity), true);
    EXPECT_EQ(verify_kzg_proof(generator, one, one, infinity), true);
    EXPECT_EQ(verify_kzg_proof(generator, one, zero, infinity), false);
    EXPECT_EQ(verify_kzg_proof(ByteView(generator).sub(1), one, one, infinity), std::nullopt);
    EXPECT_EQ(verify_kzg_proof(generator, Bytes(32, 0xff), one, infinity), std::nullopt);
}

TEST(Kzg, versioned_hash) {
    Bytes infinity(48);
    infinity[0] = 0xc0;
    EXPECT_EQ(core::to_hex(kzg_versioned_hash(infinity)),
              "010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014");
}

}  // namespace
}  // namespace keel::crypto
