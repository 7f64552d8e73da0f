# Flags that end a process in order where a mistake in memory would let somebody in. A
# compiler gets those that it knows; tests/unit/test_hardening.py reads the built file.
include(CheckCXXCompilerFlag)

# With the tools of Microsoft: what there isn't the default. The stack's guard is.
if(MSVC)
  add_compile_options(/guard:cf)
  add_link_options(/guard:cf /CETCOMPAT)
  return()
endif()

set(flags -fstack-protector-strong)
if(NOT WIN32)  # there every page of the stack is touched in its turn
  list(APPEND flags -fstack-clash-protection)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  list(APPEND flags -fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(arm64|aarch64)$")
  list(APPEND flags -mbranch-protection=standard)
endif()
foreach(flag IN LISTS flags)
  string(MAKE_C_IDENTIFIER "THALWEG_KNOWS${flag}" known)
  check_cxx_compiler_flag(${flag} ${known})
  if(${known})
    add_compile_options(${flag})
  endif()
endforeach()
# The rest is of other systems than Windows.
if(WIN32)
  return()
endif()
# Sizes are checked where the compiler optimizes; where it doesn't, glibc warns.
add_compile_options("$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")

if(NOT APPLE)
  add_link_options(-Wl,-z,relro,-z,now -Wl,-z,noexecstack)
endif()
