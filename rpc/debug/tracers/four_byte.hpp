#pragma once

#include <map>

#include "rpc/debug/tracers/named_tracer.hpp"

namespace keel::rpc::debug {

/// 4byteTracer: how often which selector was called with how many bytes behind it.
class FourByteTracer final : public NamedTracer {
  public:
    using NamedTracer::NamedTracer;
    void enter(const evm::Message& message) override;
    void write(JsonOut& out, const chain::TxOutcome& outcome) override;

  private:
    std::map<std::string, uint64_t> counts_;  // by "0xSELECTOR-bytes"
};

}  // namespace keel::rpc::debug
