#pragma once

// What the disk asks for the bytes that mem's log is given, with nothing around the calls.

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/db_rows.hpp"

namespace keel::bench {

constexpr size_t kDurablePuts[] = {1, 100, 1000};

inline std::string durable_row(size_t puts) {
    return "put " + std::to_string(puts) + " + commit, durable";
}

class BareWrites final : public Column {
  public:
    enum class How : uint8_t {
        Write,        // handed to the system
        Sync,         // and fdatasync, the file growing
        SyncWritten,  // and fdatasync, in a file that is as long already and has been written
    };
    /// `bytes`: of a record, by row.
    BareWrites(std::filesystem::path file, How how, const std::map<std::string, uint64_t>& bytes)
        : file_(std::move(file)), how_(how), bytes_(bytes) {
        constexpr const char* kNames[] = {"write", "fdatasync", "fdatasync-written"};
        name = kNames[static_cast<size_t>(how)];
    }
    void prepare() override {}
    bool offers(const std::string&) const override { return true; }
    double run(const std::string& row) override {
        size_t puts = 0;
        for (const size_t each : kDurablePuts)
            if (row == durable_row(each)) puts = each;
        const size_t commits = commits_of_puts(puts);
        const std::vector<uint8_t> record(bytes_.at(row), 0x5a);
        const int descriptor = ::open(file_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        check(descriptor >= 0);
        if (how_ == How::SyncWritten) {
            const std::vector<uint8_t> zeros(record.size());
            for (size_t i = 0; i < commits; ++i) write(descriptor, zeros, i);
            check(::fsync(descriptor) == 0);
        }
        double total = 0;
        for (size_t i = 0; i < commits; ++i) {
            const double begin = now_ns();
            write(descriptor, record, i);
            if (how_ != How::Write) check(::fdatasync(descriptor) == 0);
            total += now_ns() - begin;
        }
        ::close(descriptor);
        std::filesystem::remove(file_);
        return total / static_cast<double>(commits);
    }
    void finish() override {}
    std::map<std::string, double> churn() override { return {}; }
    std::map<std::string, double> open_close(uint64_t, bool) override { return {}; }

  private:
    void check(bool ok) const {
        if (!ok) throw std::runtime_error(name + ": " + file_.string() + " cannot be written");
    }
    void write(int descriptor, const std::vector<uint8_t>& bytes, size_t number) const {
        const auto at = static_cast<off_t>(number * bytes.size());
        check(::pwrite(descriptor, bytes.data(), bytes.size(), at) ==
              static_cast<ssize_t>(bytes.size()));
    }

    const std::filesystem::path file_;
    const How how_;
    const std::map<std::string, uint64_t>& bytes_;
};

}  // namespace keel::bench
