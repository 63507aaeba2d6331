"""Operations that transformers and PEFT lack, or do more slowly: attention over packed rows, packed linear layers."""
