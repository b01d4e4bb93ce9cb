#include "rpc/dev/methods.hpp"

#include <array>

namespace keel::rpc::dev {
namespace {

// All of them one after the other, in the order in which they came: a test sets a state, sends and
// looks.
constexpr Row writer(std::string_view name, Method method) {
    return {.name = name, .method = method, .cost = Cost::Writer};
}

constexpr std::array kMethods = {
    writer("anvil_addBalance", add_balance),
    writer("anvil_autoImpersonateAccount", auto_impersonate),
    writer("anvil_dropAllTransactions", drop_all_transactions),
    writer("anvil_dropTransaction", drop_transaction),
    writer("anvil_getAutomine", get_automine),
    writer("anvil_getGenesisTime", genesis_time),
    writer("anvil_getIntervalMining", get_interval_s),
    writer("anvil_impersonateAccount", impersonate),
    writer("anvil_increaseTime", increase_time),
    writer("anvil_metadata", metadata),
    writer("anvil_mine", mine),
    writer("anvil_nodeInfo", node_info),
    writer("anvil_removeBlockTimestampInterval", remove_timestamp_step),
    writer("anvil_removePoolTransactions", drop_transactions_of),
    writer("anvil_reset", reset),
    writer("anvil_revert", revert),
    writer("anvil_rollback", rollback),
    writer("anvil_setAutomine", set_automine),
    writer("anvil_setBalance", set_balance),
    writer("anvil_setBlockGasLimit", set_gas_limit),
    writer("anvil_setBlockTimestampInterval", set_timestamp_step),
    writer("anvil_setCode", set_code),
    writer("anvil_setCoinbase", set_coinbase),
    writer("anvil_setIntervalMining", set_interval_s),
    writer("anvil_setLoggingEnabled", set_logging),
    writer("anvil_setMinGasPrice", set_min_gas_price),
    writer("anvil_setNextBlockBaseFeePerGas", set_next_base_fee),
    writer("anvil_setNextBlockTimestamp", set_next_timestamp),
    writer("anvil_setNonce", set_nonce),
    writer("anvil_setPrevRandao", set_prev_randao),
    writer("anvil_setStorageAt", set_storage_at),
    writer("anvil_setTime", set_time),
    writer("anvil_snapshot", snapshot),
    writer("anvil_stopImpersonatingAccount", stop_impersonating),
    writer("eth_sendTransaction", send_transaction),
    writer("eth_sendUnsignedTransaction", send_unsigned_transaction),
    writer("eth_sign", sign),
    writer("eth_signTransaction", sign_transaction),
    writer("eth_signTypedData_v4", sign_typed_data),
    writer("evm_increaseTime", increase_time),
    writer("evm_mine", evm_mine),
    writer("evm_revert", revert),
    writer("evm_setAutomine", set_automine),
    writer("evm_setBlockGasLimit", set_gas_limit),
    writer("evm_setIntervalMining", set_interval_ms),
    writer("evm_setNextBlockTimestamp", set_next_timestamp),
    writer("evm_setTime", set_time),
    writer("evm_snapshot", snapshot),
    writer("hardhat_dropTransaction", drop_transaction),
    writer("hardhat_getAutomine", get_automine),
    writer("hardhat_impersonateAccount", impersonate),
    writer("hardhat_metadata", metadata),
    writer("hardhat_mine", mine),
    writer("hardhat_reset", reset),
    writer("hardhat_setBalance", set_balance),
    writer("hardhat_setCode", set_code),
    writer("hardhat_setCoinbase", set_coinbase),
    writer("hardhat_setLoggingEnabled", set_logging),
    writer("hardhat_setMinGasPrice", set_min_gas_price),
    writer("hardhat_setNextBlockBaseFeePerGas", set_next_base_fee),
    writer("hardhat_setNonce", set_nonce),
    writer("hardhat_setPrevRandao", set_prev_randao),
    writer("hardhat_setStorageAt", set_storage_at),
    writer("hardhat_stopImpersonatingAccount", stop_impersonating),
    writer("personal_sign", personal_sign),
};

}  // namespace

std::span<const Row> methods() {
    return kMethods;
}

}  // namespace keel::rpc::dev
