// What the tests' precompiled header belongs to; cmake/precompiled.cmake says what is in it.
