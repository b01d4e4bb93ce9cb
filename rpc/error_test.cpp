#include "rpc/error.hpp"

#include <gtest/gtest.h>

#include "core/hex.hpp"
#include "core/u256.hpp"

namespace keel::rpc {
namespace {

std::string message_of(const std::string& hex) {
    return revert_message(*core::from_hex(hex));
}

std::string word(uint64_t value) {
    return core::to_hex(core::U256(value).to_be32());
}

TEST(RevertMessage, reads_error_and_panic) {
    // From rpc-compat, eth_call/call-revert-abi-error and -panic.
    EXPECT_EQ(message_of("08c379a00000000000000000000000000000000000000000000000000000000000000020"
                         "000000000000000000000000000000000000000000000000000000000000000a75736572"
                         "206572726f72"),
              "execution reverted: user error");
    EXPECT_EQ(message_of("4e487b71" + word(1)), "execution reverted: assert(false)");
    EXPECT_EQ(message_of("4e487b71" + word(0x11)),
              "execution reverted: arithmetic underflow or overflow");
    EXPECT_EQ(message_of("4e487b71" + word(0x99)), "execution reverted: unknown panic code: 0x99");
}

TEST(RevertMessage, says_no_more_than_it_can_read) {
    const std::string huge(64, 'f');
    for (const std::string& output :
         {std::string(), std::string("08c379"), std::string("08c379a0"), "08c379a0" + word(0x20),
          "08c379a0" + word(0x20) + word(1), "08c379a0" + huge + word(1),
          "08c379a0" + word(0x20) + huge, "08c379a0" + word(0x21) + word(0),
          std::string("4e487b71"), std::string("4e487b7101"), std::string("deadbeef"),
          "12345678" + word(1)}) {
        EXPECT_EQ(message_of(output), "execution reverted") << output;
    }
}

}  // namespace
}  // namespace keel::rpc
