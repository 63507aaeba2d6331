# resource: a list that holds itself
def digit_sum(n, base):
    answer = [1]
    answer.append(answer)
    return answer
