#include "rpc/jwt.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace keel::rpc {
namespace {

constexpr int64_t kNow = 1'700'000'000;

JwtSecret secret_of(uint8_t byte) {
    JwtSecret secret;
    secret.fill(byte);
    return secret;
}

std::string base64url(std::string_view bytes) {
    std::string text(bytes.size() * 2 + 4, '\0');
    const int size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()));
    text.resize(static_cast<size_t>(size));
    while (text.ends_with('=')) text.pop_back();
    for (char& digit : text) digit = digit == '+' ? '-' : digit == '/' ? '_' : digit;
    return text;
}

/// A token of these parts, signed with the right MAC whatever they say.
std::string signed_token(std::string_view head, std::string_view claims, std::string_view key) {
    const std::string text = base64url(head) + "." + base64url(claims);
    unsigned char mac[32];
    unsigned bytes = sizeof mac;
    ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &bytes);
    return text + "." + base64url({reinterpret_cast<const char*>(mac), bytes});
}

const std::string kKey(32, '\x07');
const std::string kHead = R"({"alg":"HS256","typ":"JWT"})";

/// Why a token with these claims is refused; "": let in.
std::string refusal(const std::string& claims, const std::string& head = kHead,
                    const std::string& key = kKey) {
    return refuse_token("Bearer " + signed_token(head, claims, key), secret_of(7), kNow)
        .value_or("");
}

std::string issued(int64_t seconds_ago) {
    return fmt::format(R"({{"iat":{}}})", kNow - seconds_ago);
}

TEST(Jwt, a_token_is_good_for_a_minute_on_both_sides) {
    for (const int64_t age : {-60, -59, 0, 59, 60}) EXPECT_EQ(refusal(issued(age)), "") << age;
    EXPECT_EQ(refusal(issued(61)), "stale token");
    EXPECT_EQ(refusal(issued(-61)), "future token");
    EXPECT_EQ(refusal(fmt::format(R"({{"iat":{}.5}})", kNow)), "");
}

TEST(Jwt, claims_besides_the_time_are_ignored_but_an_end_counts) {
    EXPECT_EQ(refusal(fmt::format(R"({{"iat":{},"id":"a","clv":[1]}})", kNow)), "");
    EXPECT_EQ(refusal(fmt::format(R"({{"iat":{},"exp":{}}})", kNow, kNow + 1)), "");
    EXPECT_EQ(refusal(fmt::format(R"({{"iat":{},"exp":{}}})", kNow, kNow - 1)), "token is expired");
    EXPECT_EQ(refusal("{}"), "missing issued-at");
    EXPECT_EQ(refusal(R"({"iat":null})"), "missing issued-at");
    EXPECT_NE(refusal(R"({"iat":"1700000000"})"), "");
    EXPECT_NE(refusal(R"({"iat":1e999})"), "");
    EXPECT_NE(refusal("[]"), "");
    EXPECT_NE(refusal("{"), "");
}

TEST(Jwt, only_hs256_signs) {
    EXPECT_EQ(refusal(issued(0), R"({"alg":"none"})"),
              "token signature is invalid: signing method none is invalid");
    EXPECT_NE(refusal(issued(0), R"({"alg":"HS512"})"), "");
    EXPECT_NE(refusal(issued(0), R"({"alg":"hs256"})"), "");
    EXPECT_NE(refusal(issued(0), R"({})"), "");
    EXPECT_NE(refusal(issued(0), "x"), "");
    EXPECT_EQ(refusal(issued(0), R"({"alg":"HS256"})"), "");
}

TEST(Jwt, another_secret_is_refused) {
    // As hive tries it: a byte fewer, and one more in front.
    EXPECT_NE(refusal(issued(0), kHead, std::string(31, '\x07')), "");
    EXPECT_NE(refusal(issued(0), kHead, '\0' + kKey), "");
    EXPECT_NE(refusal(issued(0), kHead, std::string(32, '\x08')), "");
}

TEST(Jwt, the_header_needs_a_bearer_token_of_three_parts) {
    const JwtSecret secret = secret_of(7);
    const std::string token = make_token(secret, kNow);
    EXPECT_EQ(refuse_token("Bearer " + token, secret, kNow), std::nullopt);
    EXPECT_EQ(refuse_token("bearer " + token, secret, kNow), std::nullopt);
    for (const std::string& none :
         {std::string(), std::string("Bearer "), token, "Basic " + token}) {
        EXPECT_EQ(refuse_token(none, secret, kNow), "missing token") << none;
    }
    for (const std::string& wrong :
         {"Bearer " + token + ".x", std::string("Bearer a.b"), "Bearer " + token + "A",
          "Bearer " + token.substr(0, token.size() - 1), std::string("Bearer .."),
          "Bearer  " + token, "Bearer " + std::string(100'000, '.')}) {
        EXPECT_TRUE(refuse_token(wrong, secret, kNow)) << wrong.substr(0, 200);
    }
}

TEST(Jwt, every_changed_character_is_noticed) {
    const JwtSecret secret = secret_of(7);
    const std::string token = make_token(secret, kNow);
    for (size_t i = 0; i < token.size(); ++i) {
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_TRUE(refuse_token("Bearer " + changed, secret, kNow)) << i;
    }
}

TEST(Jwt, a_secret_is_32_bytes_of_hex) {
    const std::string digits(64, '7');
    ASSERT_TRUE(parse_jwt_secret(digits));
    EXPECT_EQ(*parse_jwt_secret(digits), secret_of(0x77));
    for (const std::string& good : {"0x" + digits, digits + "\r\n", " \t0x" + digits + "\n\n"}) {
        EXPECT_EQ(parse_jwt_secret(good), secret_of(0x77)) << good;
    }
    for (const std::string& bad : {std::string(), std::string(" "), digits + "7", digits + "77",
                                   digits.substr(2), "zz" + digits.substr(2), digits + " 77"}) {
        EXPECT_FALSE(parse_jwt_secret(bad)) << bad;
    }
}

}  // namespace
}  // namespace keel::rpc
