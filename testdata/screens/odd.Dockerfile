# escape=`
# [31mred[0m � ‮txt [red]tag[-]
FROM scratch
ENV A=日本語日本語日本語日本語日本語日本語日本語 `
	B="é `
	C\D"
COPY odd /
RUN <<E
FROM here
E
CMD x	x